"""The pictures in docs/: they are what the command draws, and show what is said of them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.study.pictures.catalogue import PICTURES, SCENES
from softmaxfx.study.pictures.recording import Recording
from softmaxfx.study.pictures.softmax import BLOCKED

FOLDER = Path(__file__).parents[3] / "docs" / "waveforms"


@cache
def recorded(name: str) -> Recording:
    return SCENES[name]().run()


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory) -> Callable[[str], dict]:
    """What the sidecar says of the unit of a scene."""
    folder = tmp_path_factory.mktemp("units")

    @cache
    def described(name: str) -> dict:
        scene = SCENES[name]()
        return export(scene.config, folder, unit=scene.unit).description

    return described


@pytest.mark.parametrize("name", SCENES)
def test_the_document_holds_what_the_simulation_draws(name):
    """Where it does not: run ``softmaxfx waveforms``, and read docs/architecture.md again."""
    drawn = SCENES[name]().draw(recorded(name))
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == drawn


def test_the_same_scene_gives_the_same_bytes():
    scene = SCENES["softmax-too-long"]
    assert scene().svg() == scene().svg()


def test_the_document_has_every_picture_and_no_other():
    assert {file.stem for file in FOLDER.iterdir()} == set(PICTURES)


def test_the_architecture_shows_every_picture():
    text = (FOLDER.parent / "architecture.md").read_text(encoding="utf-8")
    assert [name for name in PICTURES if f"](waveforms/{name}.svg)" not in text] == []


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_small_enough_to_read(name):
    scene = SCENES[name]()
    shown = set(scene.shown(recorded(name)))
    assert len(shown) <= 30
    assert len(scene.traces) <= 14


@pytest.mark.parametrize(
    "name", ["softmax-row", "softmax-backward-join", "datapath-exact-sum", "datapath-max-subtract"]
)
def test_the_latency_that_is_marked_is_that_of_the_sidecar(name, sidecar):
    latency = sidecar(name)["latency"]
    beats = 2 if name.startswith("datapath") else 3
    (mark,) = SCENES[name]().marks(recorded(name))
    assert mark.text == f"latency {mark.stop - mark.start} cycles"
    assert mark.stop - mark.start == latency["fixed"] + latency["per_beat"] * beats


def test_a_blocked_unit_takes_as_many_beats_as_the_sidecar_says(sidecar):
    recording = recorded("softmax-back-pressure")
    refused = recording.values["s_axis_tready"].index(0, BLOCKED.start)
    went_in, came_out = (
        sum(cycle < refused for cycle in recording.taken(port).values())
        for port in ("s_axis", "m_axis")
    )
    assert refused in BLOCKED
    assert went_in - came_out == sidecar("softmax-back-pressure")["blocked"]["beats"]


def test_an_offer_stays_while_the_reader_takes_nothing():
    offered = list(recorded("softmax-back-pressure").offered("m_axis"))
    beats = {offered[cycle] for cycle in BLOCKED}
    assert len(beats) == 1
    assert None not in beats


def test_rows_of_ten_do_not_stall():
    values = recorded("softmax-rows-of-ten").values
    first = values["m_axis_tvalid"].index(1)
    assert 0 not in values["s_axis_tready"]
    assert 0 not in values["m_axis_tvalid"][first:]


def results(recording: Recording, port: str, *signals: str) -> list[tuple[tuple[int, int], ...]]:
    """((row, beat), value of each signal) of every beat that a port gives."""
    return [
        (at, *(recording.values[f"{port}_{signal}"][cycle] for signal in signals))
        for at, cycle in recording.taken(port).items()
    ]


def test_a_row_with_a_hole_is_marked_and_the_others_are_not():
    beats = results(recorded("softmax-hole"), "m_axis", "tdata", "tkeep", "tuser", "tlast")
    assert [beat for beat in beats if beat[0][0] == 1] == [
        ((1, 0), 0, 0b11, 1, 0),
        ((1, 1), 0, 0b11, 1, 1),
    ]
    assert {tuser for (row, _), _, _, tuser, _ in beats if row != 1} == {0}


def test_a_row_that_is_too_long_is_cut_and_swallowed():
    recording = recorded("softmax-too-long")
    assert len(recording.taken("s_axis")) == 6 + 2
    assert 0 not in recording.values["s_axis_tready"]
    assert results(recording, "m_axis", "tuser", "tlast") == [
        ((0, 0), 1, 0), ((0, 1), 1, 0), ((0, 2), 1, 1), ((1, 0), 0, 0), ((1, 1), 0, 1),
    ]  # fmt: skip


def test_targets_come_before_with_and_after_their_rows():
    recording = recorded("cross-entropy-targets")
    rows, targets = recording.taken("s_axis"), recording.taken("s_axis_target")
    assert [targets[at] - cycle for at, cycle in rows.items()] == [-2, 0, 3, 3]


def test_a_row_without_a_target_has_no_loss_and_says_so_on_both_ports():
    recording = recorded("cross-entropy-targets")
    losses = results(recording, "m_axis_loss", "tdata", "tuser")
    assert losses[-1] == ((3, 0), 0, 0b100)
    assert all(loss > 0 and not tuser for _, loss, tuser in losses[:-1])
    gradients = results(recording, "m_axis", "tdata", "tuser")
    assert gradients[-1] == ((3, 0), 0, 0b100)
    assert all(word > 0 and not tuser for _, word, tuser in gradients[:-1])


def test_p_is_ahead_by_as_much_as_the_sidecar_says_before_it_waits(sidecar):
    recording = recorded("softmax-backward-join")
    taken = recording.taken("s_axis_p").values()
    first = recording.values["s_axis_dp_tvalid"].index(1)
    assert sum(cycle < first for cycle in taken) >= sidecar("softmax-backward-join")["skew_beats"]
    assert recording.values["s_axis_p_tready"][first] == 0


def test_dp_never_waits_for_p_which_is_ahead():
    recording = recorded("softmax-backward-join")
    assert 0 not in recording.values["s_axis_dp_tready"]
