"""Netlists compute the golden model's bits, and one that does not is caught.

That of portable Verilog on ECP5 is checked where the command is tested.
"""

import re
from dataclasses import replace

import pytest

from softmaxfx.fpga.gate_level import check_netlist
from softmaxfx.golden import ConfigError

from .conftest import KEPT, flow_for, small_unit


@pytest.mark.parametrize(("device", "exported_for"), [("ice40", "generic"), ("ecp5", "ecp5")])
def test_the_netlist_equals_the_golden_model(device, exported_for, rows, tmp_path):
    flow, unit = flow_for(device), small_unit(tmp_path, target=exported_for)
    netlist = flow.synthesise(unit)
    shown = check_netlist(unit, netlist.verilog, flow.device, rows, KEPT)
    assert shown.first == ""
    assert (shown.elements, shown.mismatches) == (rows.elements, 0)


def test_one_wrong_lut_is_caught(on_ecp5, rows, tmp_path):
    text = on_ecp5.netlist.verilog.read_text()
    found = list(re.finditer(r"LUT4 #\(\s*\.INIT\(16'h(\w+)\)", text))
    lut = found[len(found) // 2]
    wrong = f"{int(lut[1], 16) ^ 0xFFFF:04x}"
    trimmed = tmp_path / "netlist.v"
    trimmed.write_text(text[: lut.start(1)] + wrong + text[lut.end(1) :])
    shown = check_netlist(on_ecp5.unit, trimmed, on_ecp5.flow.device, rows, KEPT)
    assert shown.mismatches > 0
    assert shown.first


def test_a_netlist_of_conflicting_drivers_is_refused(tmp_path):
    """yosys keeps one of two drivers of a net, with no more than a warning: `synth_ice40 -dsp` was
    seen to make such nets."""
    flow, unit = flow_for("ice40"), small_unit(tmp_path)
    text = unit.verilog.read_text()
    top = text.index(f"module {unit.top}(")
    end = text.index("endmodule", top)
    conflict = tmp_path / "conflict.v"
    conflict.write_text(f"{text[:end]}  assign s_axis_tready = 1'b0;\n{text[end:]}")
    with pytest.raises(ConfigError, match=r"yosys failed: Driver.* conflict.* \(log: "):
        replace(flow, cache=tmp_path / "cache").synthesise(replace(unit, verilog=conflict))
