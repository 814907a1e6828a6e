"""The cross-entropy unit's Verilog, bit for bit: rows with targets of all kinds, broken rows, and
neighbours that do nothing."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import SQ, SoftmaxConfig, cross_entropy, preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.cross_entropy import TargetRows
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.kinds import KINDS
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import Stream, Unit, load_unit
from softmaxfx.sim.simulator import Model, build

from .blocked import run_blocked
from .planting import Planting, plant
from .rows import kind_rows

KIND = KINDS["cross_entropy"]
CONFIGS = {
    "one lane": preset("tiny", max_length=12),
    "three lanes, tid": preset("tiny", id_width=4, lanes=3, max_length=20),
    "bytes": preset("int8", lanes=4, max_length=15, clip_gradient="pass"),
    "difference": preset("tiny", lanes=2, clip="difference", input=SQ(7, 9)),
    "window, row exponent": preset("full", lanes=2, max_length=25, output_exponent="row"),
    "row exponent": preset("int8_row", lanes=3, max_length=20, clip_gradient="pass"),
    "exact sum": preset("tight", lanes=3, max_length=30, id_width=3, datapath="exact_sum"),
}
FRAMES = 12_000
IN_FLIGHT = 64
"""Rows that must pass on one output while the other is blocked."""


@pytest.fixture(scope="module")
def loss_unit(tmp_path_factory, models) -> Callable[[SoftmaxConfig], tuple[Unit, Model]]:
    """The unit of a configuration, and its model."""
    folder = tmp_path_factory.mktemp("cross_entropy")

    def made(config: SoftmaxConfig) -> tuple[Unit, Model]:
        unit = load_unit(export(config, folder, unit="cross_entropy").verilog)
        return unit, build(unit, models)

    return made


@pytest.mark.parametrize("name", CONFIGS)
def test_the_verilog_equals_the_golden_model(name, loss_unit, tmp_path):
    config = CONFIGS[name]
    unit, model = loss_unit(config)
    rows = kind_rows(KIND, config)
    shown = simulate(unit, model, rows, tmp_path)
    assert shown.score.first == ""
    assert shown.score.mismatches == 0
    assert shown.score.elements >= rows.elements + len(rows.lengths)
    assert shown.bounds_kept
    fields, latency = shown.to_dict(), unit.description["latency"]
    assert fields["unit"] == "cross_entropy"
    assert fields["datapath"] == config.datapath
    assert fields["latency_cycles"] == latency["fixed"] + latency["per_beat"]
    assert fields["ignored_rows"] > 0
    assert fields["masked_targets"] > 0


@pytest.mark.long
@pytest.mark.parametrize("name", CONFIGS)
def test_every_frame_is_answered_as_the_golden_model_says(name, loss_unit, tmp_path):
    unit, model = loss_unit(CONFIGS[name])
    stream = hostile_stream(unit, FRAMES, seed=11)
    assert stream.kinds.keys() == set(KIND.frames)
    assert min(stream.kinds.values()) > FRAMES // len(KIND.frames) // 2
    assert len(stream.parts) > 400
    shown = run_hostile(unit, model, stream, tmp_path, seed=11)
    assert shown.first == ""
    assert shown.mismatches == 0
    assert shown.elements > FRAMES


@pytest.mark.parametrize("pauses", [False, True], ids=["quick", "pauses"])
@pytest.mark.parametrize("port", ["s_axis", "s_axis_target", "m_axis", "m_axis_loss"])
def test_a_neighbour_may_do_nothing_for_good(port, pauses, loss_unit, tmp_path):
    config = CONFIGS["three lanes, tid"]
    unit, model = loss_unit(config)
    shown = run_blocked(unit, model, kind_rows(KIND, config), tmp_path, [port], pauses=pauses)
    assert shown.score.first == ""
    assert not shown.whole
    if port == "m_axis":
        # the loss of every row that was accepted with its target, but for the row before the last
        # that may not be through: at least those that a buffer of one longest row holds
        assert shown.came["m_axis_loss"] >= 1
        assert shown.came["m_axis"] == 0
    elif port == "m_axis_loss":
        assert shown.came["m_axis"] >= IN_FLIGHT
        assert shown.came["m_axis_loss"] == 0
    else:
        assert shown.came == {"m_axis": 0, "m_axis_loss": 0}
        assert shown.accepted[port] == 0
    if port == "s_axis_target":  # a whole row is accepted before its target comes
        assert shown.accepted["s_axis"] >= config.max_beats


@pytest.mark.parametrize("port", ["s_axis", "s_axis_target", "m_axis", "m_axis_loss"])
def test_after_a_long_wait_every_row_comes_out(port, loss_unit, tmp_path):
    config = CONFIGS["three lanes, tid"]
    unit, model = loss_unit(config)
    rows = kind_rows(KIND, config)
    shown = run_blocked(unit, model, rows, tmp_path, [port], freed_after=8)
    assert shown.score.first == ""
    assert shown.whole
    assert shown.came == dict.fromkeys(("m_axis", "m_axis_loss"), len(rows.lengths))


# What the checks expect, by hand

HAND = preset("tiny", lanes=2, max_length=5, id_width=8)
HAND_UNIT = Unit(
    verilog=None,
    top="unit",
    name="cross_entropy",
    config=HAND,
    streams=(
        Stream("s_axis", True, 2, 32, 4, 2, 8, last=True),
        Stream("s_axis_target", True, 1, 32, 0, 0, 0, last=False),
        Stream("m_axis", False, 2, 48, 6, 5, 8, last=True),
        Stream("m_axis_loss", False, 1, 16, 0, 3, 8, last=True),
    ),
    description={},
)
IGNORED, ERROR = 0b100, 0b001


@pytest.mark.parametrize(
    ("target", "status"),
    [(0, 0), (2, 0), (1, ERROR), (3, IGNORED), (5, IGNORED), (1 << 31, IGNORED)],
)
def test_a_target_decides_what_its_row_gives(target, status):
    logits = LogitRows.from_array([[1.0, -np.inf, 3.0, np.nan], [20.0, 0.0, 0.0, 0.0]])
    rows = TargetRows(logits, np.array([target, 0]))
    answer = KIND.expect(KIND.pack(rows, HAND_UNIT), HAND_UNIT)
    gradient, loss = (answer.streams[name].beats for name in ("m_axis", "m_axis_loss"))
    bits = [bool(status >> bit & 1) for bit in range(3)]
    assert gradient.last.tolist() == [False, True, False, True]
    assert gradient.ident.tolist() == [0, 0, 1, 1]
    assert gradient.user[:2, :3].tolist() == [bits, bits]
    assert gradient.user[2:].tolist() == [[False] * 3 + [True, False], [False] * 5]
    assert loss.user.tolist() == [bits, [False] * 3]
    assert loss.ident.tolist() == [0, 1]
    assert loss.last.all()
    kept = [[True, True], [True, status == ERROR]]
    assert gradient.keep[:2, :, 0].tolist() == kept
    if status:
        assert not gradient.data[:2].any()
        assert loss.data[0] == 0
    else:
        codes = logits.codes(HAND)[:1, :3]
        gold_loss, gold = cross_entropy(codes, [target], HAND, [[False, True, False]])
        assert loss.data[0] == gold_loss
        assert gradient.data[:2].ravel()[:3].tolist() == gold[0].tolist()


def test_a_broken_row_takes_its_target_along():
    logits = LogitRows.from_array(np.zeros((3, 4)))
    sent = KIND.pack(TargetRows(logits, np.array([0, 1, 3])), HAND_UNIT)
    sent["s_axis"].keep[2, 0] = False  # a hole in the second row
    answer = KIND.expect(sent, HAND_UNIT).streams
    assert answer["m_axis_loss"].beats.user[:, 0].tolist() == [False, True, False]
    gradient = answer["m_axis"].beats.data.reshape(3, 4)
    assert (gradient < 0).tolist() == [[True, False, False, False], [False] * 4,
                                       [False, False, False, True]]  # fmt: skip


def test_rows_wait_for_their_targets():
    logits = LogitRows.from_array(np.zeros((3, 4)))
    sent = KIND.pack(TargetRows(logits, np.array([0, 1, 2])), HAND_UNIT)
    sent["s_axis_target"] = sent["s_axis_target"].take(slice(0, 2))
    answer = KIND.expect(sent, HAND_UNIT).streams
    assert len(answer["m_axis_loss"].beats) == 2
    assert answer["m_axis"].beats.last.sum() == 2


def test_targets_beyond_their_port_are_refused():
    rows = TargetRows(LogitRows.from_array(np.zeros((2, 4))), np.array([0, 1 << 32]))
    sentence = r"targets must be from 0 to 4294967295, not 4294967296 \(row 1\)"
    with pytest.raises(ValueError, match=sentence):
        KIND.pack(rows, HAND_UNIT)


@pytest.mark.parametrize("none", [-1, -100, -(2**63)])
def test_a_target_below_0_is_a_row_without_a_loss(none):
    rows = TargetRows(LogitRows.from_array(np.zeros((2, 4))), np.array([0, none]))
    answer = KIND.expect(KIND.pack(rows, HAND_UNIT), HAND_UNIT)
    assert answer.result.ignored.tolist() == [False, True]
    assert answer.result.loss[1] == 0


# Faults planted in the Verilog must be found


def invert_the_loss(verilog: Planting) -> None:
    """Every bit of the loss is the other one."""
    verilog.see("", "m_axis_loss_tdata", "~{}")


def never_ignore(verilog: Planting) -> None:
    """A target of 8 is one of 0."""
    verilog.see("", "s_axis_target_tdata", "{} & 7")


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (invert_the_loss, r"m_axis_loss, row \d+, beat \d+, lane 0: gold 0, gate 65535; element"),
        (never_ignore, r"m_axis, row \d+, beat \d+: tuser gold 0b\d\d1\d\d, gate 0b\d\d0\d\d"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_noticed(fault, sentence, models, tmp_path):
    config = preset("tiny", lanes=2, max_length=7)
    verilog = export(config, tmp_path, unit="cross_entropy", name="planted").verilog
    plant(verilog, "planted", fault)
    unit = load_unit(verilog, modified=True)
    stream = hostile_stream(unit, 600, seed=3)
    shown = run_hostile(unit, build(unit, models), stream, tmp_path / "run", seed=3)
    assert shown.mismatches > 0
    assert re.search(sentence, shown.first), shown.first
