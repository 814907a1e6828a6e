"""From cells to WaveJSON, and from that to SVG."""

import re
from xml.etree import ElementTree

import pytest

from softmaxfx.study.pictures.recording import Recording
from softmaxfx.study.pictures.scene import around
from softmaxfx.study.pictures.svg import SVG, XLINK, svg
from softmaxfx.study.pictures.traces import (
    Label,
    beats,
    binary,
    hexadecimal,
    level,
    numbers,
    words,
)
from softmaxfx.study.pictures.wave_json import Mark, wave_json

RECORDING = Recording(
    5,
    {
        "o_tvalid": [0, 1, 1, 1, 0],
        "o_tready": [1, 0, 1, 1, 1],
        "o_tlast": [0, 0, 0, 1, 0],
        "o_tdata": [9, 6, 6, 6, 9],
    },
)
FIRST, SECOND = (0, 0), (0, 1)


@pytest.mark.parametrize(
    ("show", "signal", "cells"),
    [
        (level, "o_tvalid", [False, True, True, True, False]),
        (beats, "o_tdata", [None, ("0.0", FIRST), ("0.0", FIRST), ("0.1", SECOND), None]),
        (
            words(binary(4)),
            "o_tdata",
            [None, ("0110", FIRST), ("0110", FIRST), ("0110", SECOND), None],
        ),
        (numbers(valid="o_tlast"), "o_tdata", [None, None, None, ("6", None), None]),
        (numbers(hexadecimal(5)), "o_tdata", [(c, None) for c in ("09", "06", "06", "06", "09")]),
    ],
    ids=["level", "beats", "words", "numbers", "always"],
)
def test_a_trace_shows_its_signal(show, signal, cells):
    assert show(RECORDING, signal) == cells


def lane_of(cells, shown=None):
    wave, _ = wave_json("", [("s", cells)], shown or range(len(cells)))
    return wave["signal"][1]["wave"], wave["signal"][1]["data"]


@pytest.mark.parametrize(
    ("cells", "wave", "data"),
    [
        ([False, True, True], "01.", []),
        ([None, Label("6", FIRST), Label("6", FIRST)], "x3.", ["6"]),
        ([Label("6", FIRST), Label("6", SECOND)], "33", ["6", "6"]),
        ([Label("6", FIRST), Label("6", (1, 0))], "34", ["6", "6"]),
        ([Label("6"), Label("6"), Label("7")], "2.2", ["6", "7"]),
        ([Label("6", (7, 0))], "3", ["6"]),
    ],
    ids=["levels", "held", "two beats", "two rows", "no beats", "colours come again"],
)
def test_cells_become_wavedroms_letters(cells, wave, data):
    assert lane_of(cells) == (wave, data)


@pytest.mark.parametrize(
    ("cells", "wave", "data"),
    [
        ([True, True, False, True, True], "1.|.", []),
        ([True, True, False, True, False], "1.|0", []),
        ([None, None, Label("6"), None, Label("7")], "x.|2", ["7"]),
        ([Label("6"), Label("6"), None, None, Label("6")], "2.|.", ["6"]),
        ([Label("6"), Label("7"), None, None, Label("8")], "2222", ["6", "7", "…", "8"]),
        ([Label("6"), Label("7"), None, None, None], "222x", ["6", "7", "…"]),
    ],
    ids=["level", "a change", "a value", "held", "values left out", "the last values left out"],
)
def test_cycles_that_are_left_out_leave_a_gap(cells, wave, data):
    assert lane_of(cells, [0, 1, 4]) == (wave, data)


def test_a_column_is_called_by_its_cycle():
    wave, columns = wave_json("", [("s", [True] * 8)], [1, 2, 6])
    assert columns == ["1", "2", "", "6"]
    assert wave["signal"][0]["wave"] == "p.|."


def test_a_single_cycle_is_not_left_out():
    _, columns = wave_json("", [("s", [True] * 8)], [1, 3, 4])
    assert columns == ["1", "2", "3", "4"]


def test_a_mark_spans_from_the_end_of_one_cycle_to_the_end_of_another():
    wave, _ = wave_json("", [("s", [True] * 8)], [1, 2, 6, 7], [Mark("5 cycles", 1, 6)])
    assert wave["signal"][-1] == {"name": "5 cycles", "node": ".A..B."}
    assert wave["edge"] == ["A<->B"]


def test_cycles_near_a_change_are_shown():
    assert around(["o_tlast"], before=1, after=1, since=4)(RECORDING) == {3, 4}


@pytest.fixture(scope="module")
def picture() -> str:
    lanes = [("valid", [False, True] * 2), ("data", [Label("0.0", FIRST), None, None, Label("7")])]
    return svg(*wave_json("A title", lanes, [0, 3], [Mark("3 cycles", 0, 3)]))


def test_text_of_a_picture_is_names_labels_columns_and_title(picture):
    root = ElementTree.fromstring(picture)
    texts = {"".join(text.itertext()) for text in root.iter(f"{{{SVG}}}text")}
    names, labels = {"aclk", "valid", "data", "3 cycles"}, {"0.0", "…", "7"}
    assert texts == {"A title", "0", "", "3"} | names | labels


def test_the_label_of_a_first_box_lies_inside_it(picture):
    root = ElementTree.fromstring(picture)
    (label,) = (t for t in root.iter(f"{{{SVG}}}text") if "".join(t.itertext()) == "0.0")
    assert 15 <= float(label.get("x")) <= 25  # the box is 40 pixels wide


def test_a_picture_has_the_bricks_that_it_uses_and_no_others(picture):
    root = ElementTree.fromstring(picture)
    used = {use.get(f"{{{XLINK}}}href")[1:] for use in root.iter(f"{{{SVG}}}use")}
    defined = {
        g.get("id") for defs in root.iter(f"{{{SVG}}}defs") for g in defs.iter(f"{{{SVG}}}g")
    }
    assert defined == used


def test_a_picture_lies_on_white_paper(picture):
    assert re.search(r'^<svg[^>]*><title>A title</title><rect [^>]*fill="#fff"', picture)
