"""Units that never come to an end: every run ends, and says what it saw."""

import re
import shutil

import numpy as np
import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim import icarus
from softmaxfx.sim.bench import SPARE_BEATS
from softmaxfx.sim.hostile import hostile_stream, run_hostile
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build

from ..conftest import left_long

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


def driven(**ports):
    """A fault that drives ports of the unit with expressions of their own."""

    def fault(text: str) -> str:
        for port, value in ports.items():
            text, count = re.subn(
                rf"(assign {port} =) .*;|(?<=\.o__ready\(){port}(?=\))",
                lambda found, v=value: f"{found[1]} {v};" if found[1] else found[0],
                text,
            )
            assert count
        return text

    return fault


HUNG = r"hung: \d+ beats were not accepted"
BEYOND = rf"{SPARE_BEATS + 1} beats came out after the last row's end|row \d+, beat \d+"
FAULTS = {
    "gives beats for ever": (driven(m_axis_tvalid="1'b1"), BEYOND),
    "gives beats now and then for ever": (driven(m_axis_tvalid="s_axis_tdata[0]"), BEYOND),
    "gives beats for ever and takes none": (
        driven(m_axis_tvalid="1'b1", s_axis_tready="1'b0"), BEYOND,
    ),
    "takes beats for ever and gives none": (
        driven(m_axis_tvalid="1'b0", s_axis_tready="1'b1"), "row 0, beat 0: never came out",
    ),
    "takes and gives none": (
        driven(m_axis_tvalid="1'b0", s_axis_tready="1'b0"), "row 0, beat 0: never came out",
    ),
    "offers beats only where nobody takes them": (
        driven(m_axis_tvalid="!m_axis_tready"), "row 0, beat 0: never came out",
    ),
    "is unknown": (driven(m_axis_tvalid="1'bx", s_axis_tready="1'bx"), r"row \d+, beat \d+"),
}  # fmt: skip


@simulators
@pytest.mark.parametrize("how", left_long(FAULTS, "gives beats for ever", "is unknown"))
def test_a_unit_that_never_ends_is_a_mismatch(how, builder, models, tmp_path):
    fault, sentence = FAULTS[how]
    exported = export(SMALL, tmp_path, name="endless")
    exported.verilog.write_text(fault(exported.verilog.read_text()))
    unit = load_unit(exported.verilog, modified=True)
    model = BUILDERS[builder](unit, models)
    rows = LogitRows.from_array(np.random.default_rng(1).normal(0, 3, (40, 4)))
    shown = simulate(unit, model, rows, tmp_path / "rows")
    assert shown.score.mismatches > 0
    assert re.search(sentence, shown.score.first), shown.score.first
    for seed in (1, 2):
        hostile = run_hostile(
            unit, model, hostile_stream(unit, 60, seed), tmp_path / "hostile", seed=seed
        )
        assert hostile.mismatches > 0
        assert hostile.first
