"""No name that a unit can have meets a name of the testbench, in either simulator."""

import re
import shutil

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.golden import preset
from softmaxfx.sim import icarus
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build
from softmaxfx.sim.wiring import tb_text

from ..conftest import left_long
from .rows import few_rows

NAMES = [
    "bench", "bench_source", "bench_control", "bench_bench", "bench_", "bench__core", "top", "dut",
    "Vtop", "Vtop__Syms", "control", "s_axis_neighbour", "aclk", "simulator", "main", "verilated",
]  # fmt: skip
SMALL = preset("tiny", max_length=4)


def in_icarus(unit, cache):
    """The unit's model in Icarus Verilog; the test is skipped where there is none."""
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus Verilog (iverilog) is not installed")
    return icarus.build(unit, cache)


def declared(text: str) -> list[str]:
    return re.findall(r"^module (\w+)", text, re.MULTILINE)


@pytest.mark.parametrize("name", left_long(NAMES, "bench", "bench_", "Vtop", "aclk"))
def test_every_module_of_unit_and_testbench_has_a_name_of_its_own(name, tmp_path):
    unit = load_unit(export(SMALL, tmp_path, name=name).verilog)
    modules = declared(tb_text(unit)) + declared(unit.verilog.read_text())
    assert len(set(modules)) == len(modules) > 5


@pytest.mark.parametrize("builder", [build, in_icarus], ids=["verilator", "icarus"])
@pytest.mark.parametrize("name", left_long(["bench", "bench_source", "Vtop", "dut"], "bench"))
def test_a_unit_of_that_name_equals_the_golden_model(name, builder, models, tmp_path):
    unit = load_unit(export(SMALL, tmp_path, name=name).verilog)
    rows = few_rows()
    shown = simulate(unit, builder(unit, models), rows, tmp_path / "runs")
    assert shown.score.first == ""
    assert shown.score.elements == rows.elements
