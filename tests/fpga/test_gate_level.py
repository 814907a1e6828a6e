"""Netlists compute the golden model's bits, and one that does not is caught.

That of portable Verilog on ECP5 is checked where the command is tested.
"""

from dataclasses import replace

import pytest

from softmaxfx.fpga.gate_level import check_netlist
from softmaxfx.golden import ConfigError

from ..sim.planting import Planting, plant
from .conftest import KEPT, flow_for, small_unit


@pytest.mark.parametrize(
    ("device", "exported_for"),
    [
        ("ice40", "generic"),
        ("ecp5", "ecp5"),
        ("xilinx7", "xilinx7"),
        ("xilinxup", "xilinxup"),
        ("xilinx7", "generic"),
        ("xilinxup", "generic"),
    ],
)
def test_the_netlist_equals_the_golden_model(device, exported_for, rows, tmp_path):
    flow, unit = flow_for(device), small_unit(tmp_path, target=exported_for)
    netlist = flow.synthesise(unit)
    shown = check_netlist(unit, netlist.verilog, flow.device, rows, KEPT)
    assert shown.first == ""
    assert (shown.elements, shown.mismatches) == (rows.elements, 0)


def invert_a_lut(verilog: Planting) -> None:
    found = verilog.parameters("LUT4", "INIT")
    lut = found[len(found) // 2]
    verilog.change(lut, lut.value ^ 0xFFFF)


def test_one_wrong_lut_is_caught(on_ecp5, rows, tmp_path):
    netlist = tmp_path / "netlist.v"
    netlist.write_text(on_ecp5.netlist.verilog.read_text())
    plant(netlist, on_ecp5.unit.top, invert_a_lut)
    shown = check_netlist(on_ecp5.unit, netlist, on_ecp5.flow.device, rows, KEPT)
    assert shown.mismatches > 0
    assert shown.first


DRIVER = "  assign s_axis_tready = 1'b0;\n"


def test_a_netlist_of_conflicting_drivers_is_refused(tmp_path):
    """yosys keeps one of two drivers of a net, with no more than a warning: `synth_ice40 -dsp` was
    seen to make such nets."""
    flow, unit = flow_for("ice40"), small_unit(tmp_path)
    plant(unit.verilog, unit.top, lambda verilog: verilog.insert("", DRIVER))
    with pytest.raises(ConfigError, match=r"yosys failed: Driver.* conflict.* \(log: "):
        replace(flow, cache=tmp_path / "cache").synthesise(unit)
