"""Units that never come to an end: every run ends, and says what it saw."""

import shutil

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import preset
from softmaxfx.sim import icarus
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build

from ..conftest import left_long
from .planting import Fault, Planting, plant
from .rows import few_rows

SMALL = preset("tiny", max_length=4)

BUILDERS = {
    "verilator": build,
    "icarus": icarus.build,
}
simulators = pytest.mark.parametrize(
    "builder",
    [
        "verilator",
        pytest.param(
            "icarus",
            marks=pytest.mark.skipif(
                shutil.which("iverilog") is None, reason="Icarus Verilog is not installed"
            ),
        ),
    ],
)


def driven(**ports: str) -> Fault:
    """A fault that drives ports of the unit with expressions of their own."""

    def fault(verilog: Planting) -> None:
        for port, value in ports.items():
            verilog.see("", port, value)

    return fault


NOT_OURS = "row 0, beat 0: tkeep gold 0b11, gate 0b00"
NEVER = "row 0, beat 0: never came out"
FAULTS = {
    "gives beats for ever": (driven(m_axis_tvalid="1'b1"), NOT_OURS),
    "gives beats now and then for ever": (driven(m_axis_tvalid="s_axis_tdata[0]"), NOT_OURS),
    "gives beats for ever and takes none": (
        driven(m_axis_tvalid="1'b1", s_axis_tready="1'b0"), NOT_OURS,
    ),
    "takes beats for ever and gives none": (
        driven(m_axis_tvalid="1'b0", s_axis_tready="1'b1"), NEVER,
    ),
    "takes and gives none": (driven(m_axis_tvalid="1'b0", s_axis_tready="1'b0"), NEVER),
    "offers beats only where nobody takes them": (driven(m_axis_tvalid="!m_axis_tready"), NEVER),
    "is unknown": (driven(m_axis_tvalid="1'bx", s_axis_tready="1'bx"), NEVER),
}  # fmt: skip
KNOWN = {("is unknown", "verilator"): NOT_OURS}
"""Verilator knows no unknown value: it takes them for 1 here."""


@simulators
@pytest.mark.parametrize("how", left_long(FAULTS, "gives beats for ever", "is unknown"))
def test_a_unit_that_never_ends_is_a_mismatch(how, builder, models, tmp_path):
    fault, sentence = FAULTS[how]
    sentence = KNOWN.get((how, builder), sentence)
    verilog = export(SMALL, tmp_path, name="endless").verilog
    plant(verilog, "endless", fault)
    unit = load_unit(verilog, modified=True)
    model = BUILDERS[builder](unit, models)
    shown = simulate(unit, model, few_rows(), tmp_path / "rows")
    assert shown.score.mismatches > 0
    assert shown.score.first == sentence
    for seed in (1, 2):
        hostile = run_hostile(
            unit, model, hostile_stream(unit, 60, seed), tmp_path / "hostile", seed=seed
        )
        assert hostile.mismatches > 0
        assert hostile.first
