"""Units that take long rows twice, bit for bit: rows, broken passes, neighbours that do nothing."""

import json
import re

import numpy as np
import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import SQ, preset, softmax
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim import passes
from softmaxfx.sim.cross_entropy import TargetRows
from softmaxfx.sim.exchange import send_rows
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.kinds import KINDS
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import Stream, Unit, load_unit
from softmaxfx.sim.simulator import build
from softmaxfx.sim.testbench import Neighbours
from softmaxfx.sim.verdict import failures

from ..conftest import left_long
from .blocked import run_blocked
from .planting import Planting, plant
from .rows import kind_rows, random_rows, unit_rows

BASE = preset("base", datapath="exact_sum", max_length=64, buffer_length=16)
CONFIGS = {
    "eight lanes": BASE,
    "two lanes, tid": BASE.replace(lanes=2, id_width=3),
    "one lane": preset("tiny", datapath="exact_sum", buffer_length=16),
    "window, row exponent": preset(
        "full", lanes=3, max_length=50, buffer_length=10, output_exponent="row", id_width=2
    ),
    "one beat held": preset(
        "int8", datapath="exact_sum", lanes=3, max_length=50, buffer_length=3, range=4,
        output_exponent="row", clip_gradient="pass",
    ),
    "tight": preset("tight", datapath="exact_sum", lanes=4, max_length=30, buffer_length=13),
}  # fmt: skip
LOGARITHM = preset(
    "int8", datapath="exact_sum", lanes=4, max_length=30, buffer_length=12,
    function="log_softmax", output=SQ(6, 5),
)  # fmt: skip
UNITS = "softmax", "cross_entropy"
FRAMES = 10_000

every_unit = pytest.mark.parametrize("name", UNITS)


@pytest.mark.parametrize("config", left_long(CONFIGS, "eight lanes", "two lanes, tid", "one lane"))
@every_unit
def test_the_verilog_equals_the_golden_model(name, config, unit_of, model_of, tmp_path):
    unit = unit_of(CONFIGS[config], name)
    rows = kind_rows(KINDS[name], unit.config)
    shown = simulate(unit, model_of(unit), rows, tmp_path)
    assert failures(shown) == []
    assert (rows.lengths > unit.config.buffer_length).sum() > 100
    assert (rows.lengths <= unit.config.buffer_length).sum() > 10
    assert shown.score.elements >= rows.elements


@pytest.mark.long
def test_logarithms_equal_the_golden_model(unit_of, model_of, tmp_path):
    unit = unit_of(LOGARITHM)
    rows = kind_rows(KINDS["softmax"], LOGARITHM)
    assert failures(simulate(unit, model_of(unit), rows, tmp_path / "rows")) == []
    shown = run_hostile(unit, model_of(unit), hostile_stream(unit, 2000, 7), tmp_path, seed=7)
    assert shown.first == ""


@pytest.mark.long
@pytest.mark.parametrize("config", CONFIGS)
@every_unit
def test_every_frame_is_answered_as_the_golden_model_says(
    name, config, unit_of, model_of, tmp_path
):
    unit = unit_of(CONFIGS[config], name)
    stream = hostile_stream(unit, FRAMES, seed=12)
    assert stream.kinds.keys() == {*KINDS[name].frames, *passes.FRAMES}
    assert min(stream.kinds.values()) > FRAMES // 60
    assert len(stream.parts) > 400
    shown = run_hostile(unit, model_of(unit), stream, tmp_path, seed=12)
    assert shown.first == ""
    assert shown.mismatches == 0
    assert shown.elements > FRAMES


@every_unit
def test_some_frames_are_answered_as_the_golden_model_says(name, unit_of, model_of, tmp_path):
    unit = unit_of(BASE, name)
    shown = run_hostile(unit, model_of(unit), hostile_stream(unit, 800, 5), tmp_path, seed=5)
    assert shown.first == ""
    assert shown.mismatches == 0


@pytest.mark.parametrize("length", [17, 64])
@every_unit
def test_both_passes_go_in_at_a_beat_per_cycle(name, length, unit_of, model_of, tmp_path):
    unit, count = unit_of(BASE, name), 150
    rows = unit_rows(unit, [length] * count, seed=0)
    came = send_rows(unit, model_of(unit), rows, tmp_path, Neighbours(False, seed=5))
    assert came.score().first == ""
    accepted, beats = came.accepted["s_axis"], 2 * count * -(-length // BASE.lanes)
    assert len(accepted) == beats
    assert accepted[-1] - accepted[0] + 1 == beats
    left = came.part.cycles["m_axis"]
    assert left[-1] - accepted[-1] < 2 * unit.description["latency"]["fixed"]


@pytest.mark.parametrize(
    ("name", "port"),
    [
        ("softmax", "m_axis"), ("cross_entropy", "s_axis_target"),
        ("cross_entropy", "m_axis"), ("cross_entropy", "m_axis_loss"),
    ],
)  # fmt: skip
def test_after_a_long_wait_every_row_comes_out(name, port, unit_of, model_of, tmp_path):
    unit = unit_of(BASE, name)
    rows = kind_rows(KINDS[name], BASE)
    shown = run_blocked(unit, model_of(unit), rows, tmp_path, [port], freed_after=8)
    assert shown.score.first == ""
    assert shown.whole
    assert set(shown.came.values()) == {len(rows.lengths)}


def test_a_first_pass_is_accepted_whole_before_its_target_comes(unit_of, model_of, tmp_path):
    unit = unit_of(BASE, "cross_entropy")
    rows = unit_rows(unit, [64] * 20, seed=1)
    shown = run_blocked(unit, model_of(unit), rows, tmp_path, ["s_axis_target"])
    assert shown.score.first == ""
    assert shown.came == {"m_axis": 0, "m_axis_loss": 0}
    assert shown.accepted["s_axis"] >= 2 * BASE.max_beats


LONG = preset("full", max_length=49_152, buffer_length=1024)


@pytest.mark.long
@every_unit
def test_a_vocabulary_of_49152_words_with_a_buffer_of_1024(name, unit_of, model_of, tmp_path):
    unit, rng = unit_of(LONG, name), np.random.default_rng(8)
    logits = random_rows([49_152, 900, 49_152, 30_001, 1025, 49_151], rng, spread=5)
    rows = KINDS[name].rows(logits, LONG, rng)
    shown = simulate(unit, model_of(unit), rows, tmp_path)
    assert failures(shown) == []
    assert shown.score.elements >= rows.elements


def depths_of(unit):
    """Words of every memory in a unit's Verilog, less one."""
    memory = r"^ *reg \[.*\] \S+ \[(\d+):0\];$"
    return re.findall(memory, unit.verilog.read_text(), re.MULTILINE)


def test_memories_grow_with_the_buffer_and_not_with_the_longest_row(unit_of):
    for name in UNITS:
        small, large = (
            unit_of(preset("base", datapath="exact_sum", max_length=most, buffer_length=64), name)
            for most in (256, 65_536)
        )
        assert depths_of(small) == depths_of(large)
        assert len(depths_of(small)) > 10


def test_the_sidecar_tells_of_passes(unit_of):
    for name in UNITS:
        told = json.loads(unit_of(BASE, name).verilog.with_suffix(".json").read_text())
        assert told["passes"]["longest_once"] == 16
        assert told["passes"]["first_pass_bit"] == 8
        assert told["tuser_bits"]["s_axis"] == 9
        tuser = {stream["name"]: stream["tuser"] for stream in told["streams"]}["s_axis"]
        assert tuser.endswith("the bit above marks the beats of a first pass")
    for unit in (unit_of(BASE, "softmax_backward"), unit_of(BASE.replace(buffer_length=64))):
        assert "passes" not in unit.description
        assert not unit.two_passes


# What the checks expect, by hand

HAND = preset("tiny", datapath="exact_sum", lanes=2, max_length=7, buffer_length=3, id_width=8)


def hand_unit(name, *more):
    streams = Stream("s_axis", True, 2, 32, 4, 3, 8, last=True), *more
    return Unit(verilog=None, top="unit", name=name, config=HAND, streams=streams, description={})


SOFTMAX = hand_unit("softmax", Stream("m_axis", False, 2, 32, 4, 5, 8, last=True))
LOSS = hand_unit(
    "cross_entropy",
    Stream("s_axis_target", True, 1, 32, 0, 0, 0, last=False),
    Stream("m_axis", False, 2, 48, 6, 5, 8, last=True),
    Stream("m_axis_loss", False, 1, 16, 0, 3, 8, last=True),
)
LOGITS = LogitRows.from_array([[1.0, 2, -np.inf, 4, 5], [1, 2, 3, np.nan, np.nan]])
ERROR, IGNORED = 0b001, 0b100


def statuses(beats):
    """The status of every beat."""
    return (beats.user[:, :3] @ (1, 2, 4)).tolist()


def test_long_rows_are_sent_twice_and_marked_the_first_time():
    sent = KINDS["softmax"].pack(LOGITS, SOFTMAX)["s_axis"]
    assert sent.user[:, 2].tolist() == [True] * 3 + [False] * 5
    assert sent.user[:, 0].tolist() == [False, True, False] * 2 + [False] * 2
    assert sent.last.tolist() == [False, False, True] * 2 + [False, True]
    assert sent.ident.tolist() == [0] * 6 + [1] * 2
    np.testing.assert_array_equal(sent.data[:3], sent.data[3:6])
    answer = KINDS["softmax"].expect({"s_axis": sent}, SOFTMAX).streams["m_axis"].beats
    codes = LOGITS.codes(HAND)
    p = softmax(codes[0], HAND, [False, False, True, False, False])
    assert answer.data[:3].ravel()[:5].tolist() == p.tolist()
    assert answer.data[3:].ravel()[:3].tolist() == softmax(codes[1, :3], HAND).tolist()
    assert answer.last.tolist() == [False, False, True, False, True]
    assert answer.ident.tolist() == [0] * 3 + [1] * 2
    assert statuses(answer) == [0] * 5


def test_what_has_left_of_a_row_that_is_resent_shorter_is_not_taken_back():
    sent = KINDS["softmax"].pack(LOGITS, SOFTMAX)["s_axis"]
    whole = KINDS["softmax"].expect({"s_axis": sent}, SOFTMAX).streams["m_axis"].beats
    sent.last[4], sent.keep[4, 1] = True, False  # its second beat ends it
    short = sent.take(np.array([0, 1, 2, 3, 4, 6, 7]))
    answer = KINDS["softmax"].expect({"s_axis": short}, SOFTMAX).streams["m_axis"].beats
    assert statuses(answer) == [0, ERROR, 0, 0]
    assert answer.last.tolist() == [False, True, False, True]
    assert answer.data[0].tolist() == whole.data[0].tolist()
    assert answer.data[1].tolist() == [0, 0]
    assert answer.keep[1].all()


@pytest.mark.parametrize(
    ("target", "status", "negative"),
    [
        (0, [0, 0, 0], 0),
        (4, [0, 0, 0], 4),
        (2, [0, ERROR, ERROR], None),  # masked: known with its beat
        (5, [IGNORED] * 3, None),
        (1 << 31, [IGNORED] * 3, None),
    ],
)
def test_a_target_decides_what_its_row_gives(target, status, negative):
    kind = KINDS["cross_entropy"]
    rows = TargetRows(LOGITS, np.array([target, 0]))
    answer = kind.expect(kind.pack(rows, LOSS), LOSS)
    gradient, loss = (answer.streams[name].beats for name in ("m_axis", "m_axis_loss"))
    assert statuses(gradient) == [*status, 0, 0]
    assert statuses(loss) == [status[-1], 0]
    below = np.flatnonzero(gradient.data[:3].ravel() < 0).tolist()
    assert below == ([] if negative is None else [negative])
    assert gradient.data[0].any() == (status[0] == 0)
    assert (loss.data[0] > 0) == (negative is not None)


# Faults planted in the Verilog must be found


def forget_the_first_pass(verilog: Planting) -> None:
    """A second pass is finished with its own sum as it comes, or another row's."""
    verilog.see("core.held", "again", "1'b0")


def take_every_row_as_one_that_comes_once(verilog: Planting) -> None:
    """The mark of a first pass is not heeded."""
    verilog.see("", "s_axis_tuser", "{} & 9'h0ff")


@pytest.mark.long
@pytest.mark.parametrize(
    "fault",
    [forget_the_first_pass, take_every_row_as_one_that_comes_once],
    ids=lambda fault: fault.__name__,
)
def test_a_planted_fault_is_noticed(fault, models, tmp_path):
    verilog = export(BASE, tmp_path, name="planted").verilog
    plant(verilog, "planted", fault)
    unit = load_unit(verilog, modified=True)
    stream = hostile_stream(unit, 300, seed=3)
    shown = run_hostile(unit, build(unit, models), stream, tmp_path / "run", seed=3)
    assert shown.mismatches > 0
    assert re.search(r"row \d+, beat \d+", shown.first), shown.first
