"""A hundred thousand frames that break the rules of the ports, and faults that they must find."""

import re

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import SQ, preset
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.kinds import KINDS
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build

from .planting import Planting, plant

CONFIGS = {
    "three lanes, tid": preset("tiny", id_width=4, lanes=3, max_length=20),
    "one lane": preset("tiny", max_length=12),
    "bytes": preset("int8", lanes=4, max_length=15),
    "difference": preset("base", lanes=8, max_length=64, clip="difference"),
    "exact sum": preset("tight", lanes=3, max_length=30, id_width=3, datapath="exact_sum"),
    "window": preset("full", lanes=3, max_length=30, id_width=3),
    "row exponent": preset("int8_row", lanes=3, max_length=40, id_width=2),
    "window, row exponent": preset("full", lanes=4, max_length=33, output_exponent="row"),
    "exact sum, log p": preset(
        "int8", lanes=2, max_length=9, datapath="exact_sum", function="log_softmax", output=SQ(6, 5)
    ),
}
FRAMES = 25_000


@pytest.mark.parametrize("name", CONFIGS)
def test_every_frame_is_answered_as_the_golden_model_says(name, unit_of, model_of, tmp_path):
    unit = unit_of(CONFIGS[name])
    stream = hostile_stream(unit, FRAMES, seed=11)
    frames = KINDS["softmax"].frames
    assert stream.kinds.keys() == set(frames)
    assert min(stream.kinds.values()) > FRAMES // len(frames) // 2
    assert len(stream.parts) > 1000
    shown = run_hostile(unit, model_of(unit), stream, tmp_path, seed=11)
    assert shown.first == ""
    assert shown.mismatches == 0
    assert shown.elements > FRAMES


def test_the_same_seed_gives_the_same_stream(unit_of):
    unit = unit_of(CONFIGS["one lane"])
    first, again, other = (
        [beats for part in hostile_stream(unit, 50, seed).parts for beats in part.values()]
        for seed in (1, 1, 2)
    )
    for name in ("data", "keep"):
        bits, same, different = (
            b"".join(getattr(beats, name).tobytes() for beats in parts)
            for parts in (first, again, other)
        )
        assert bits == same
        assert bits != different


FRAME = "core.datapath.logits.frame"
"""The module that checks beats and cuts rows."""


def cut_a_beat_early(verilog: Planting) -> None:
    """The longest row has a beat less: the first of its three counts as the second."""
    verilog.see(FRAME, "beat", "{} | 1")


def never_swallow(verilog: Planting) -> None:
    """The rest of a row that is too long is a row of its own."""
    verilog.see(FRAME, "swallow", "1'b0")


def forget_faults(verilog: Planting) -> None:
    """A fault counts on its own beat alone: none is remembered until the row's last one."""
    verilog.see(FRAME, "error", r"fault | (\final & (above_2 | ~last_2))")


def pass_broken_beats(verilog: Planting) -> None:
    """No beat is at fault by itself."""
    verilog.see(FRAME, "fault", "1'b0")


def drop_the_error_bit(verilog: Planting) -> None:
    """tuser's error bit stays low."""
    verilog.see("", "m_axis_tuser", "{} & ~1")


def hang_after_an_error(verilog: Planting) -> None:
    """An error row waits to leave, and never leaves."""
    verilog.see("", "m_axis_tvalid", "{} & ~m_axis_tuser[0]")
    verilog.see("", "m_axis_tready", "{} & ~m_axis_tuser[0]")


def ignore_a_reset_of_one_cycle(verilog: Planting) -> None:
    """A reset is one where the cycle before it was one too."""
    verilog.insert("", "  reg seen = 1'h1;\n  always @(posedge aclk) seen <= aresetn;\n")
    verilog.see("", "aresetn", "{} | seen")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (ignore_a_reset_of_one_cycle, r"after reset \d+"),
        (cut_a_beat_early, r"after reset \d+: row \d+, beat \d+"),
        (never_swallow, r"after reset \d+: row \d+, beat \d+"),
        (forget_faults, r"row \d+, beat \d+: tkeep gold 0b1+, gate 0b[01]+0"),
        (pass_broken_beats, r"tuser gold 0b\d+1, gate 0b\d+0"),
        (drop_the_error_bit, r"tuser gold 0b\d+1, gate 0b\d+0"),
        (hang_after_an_error, r"row \d+, beat \d+: never came out"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_noticed(fault, sentence, models, tmp_path):
    config = preset("tiny", lanes=3, max_length=7)
    verilog = export(config, tmp_path, name="hostile").verilog
    plant(verilog, "hostile", fault)
    unit = load_unit(verilog, modified=True)
    stream = hostile_stream(unit, 300, seed=3)
    shown = run_hostile(unit, build(unit, models), stream, tmp_path / "run", seed=3)
    assert shown.mismatches > 0
    assert re.search(sentence, shown.first), shown.first
