"""The figures of a small unit, and the rules that they are made by."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from softmaxfx.fpga import synthesis_report
from softmaxfx.fpga.gate_level import GateLevel
from softmaxfx.fpga.measure import measure_pace, synthesise
from softmaxfx.fpga.synthesis import summarise
from softmaxfx.fpga.tools import Tool, run_tool
from softmaxfx.golden import ConfigError

from .conftest import KEPT, flow_for, small_unit

SEEDS = (1, 2, 3)
FIELDS = [
    "unit", "preset", "datapath", "lanes", "target", "frequency", "seeds", "fmax_mhz", "lut", "ff",
    "dsp", "bram", "melem_per_s", "melem_per_s_per_lut", "melem_per_s_per_lut_and_dsp",
    "elements_per_cycle", "latency_cycles", "wrapper", "critical_path", "tools", "config_sha256",
]  # fmt: skip


@pytest.fixture(scope="module")
def synthesis(on_ecp5):
    reports = [on_ecp5.flow.place(on_ecp5.netlist, seed) for seed in SEEDS]
    pace = measure_pace(on_ecp5.unit, KEPT)
    return summarise(on_ecp5.unit, on_ecp5.flow, on_ecp5.netlist, SEEDS, reports, pace)


def test_every_field_is_there_and_follows_from_the_others(synthesis):
    fields = synthesis.to_dict()
    assert list(fields) == FIELDS
    fmax = fields["fmax_mhz"]
    assert fmax["median"] == sorted(synthesis.fmax_mhz)[1]
    assert (fmax["min"], fmax["max"]) == (min(synthesis.fmax_mhz), max(synthesis.fmax_mhz))
    assert 20 < fmax["min"] <= fmax["median"] <= fmax["max"] < 500
    assert 0.8 < fields["elements_per_cycle"] <= 1
    rate = fields["melem_per_s"]
    assert rate == fields["elements_per_cycle"] * fmax["median"]
    assert fields["melem_per_s_per_lut"] == rate / fields["lut"]
    assert fields["melem_per_s_per_lut_and_dsp"] == rate / (fields["lut"] + 100 * fields["dsp"])
    latency = synthesis.unit.description["latency"]
    assert fields["latency_cycles"] == latency["fixed"] + latency["per_beat"]
    assert fields["critical_path"]["signals"]
    assert not [s for s in fields["critical_path"]["signals"] if "_LUT4" in s or "dut." in s]
    checked = replace(synthesis, gate_level=GateLevel(100, 3, "row 0"))
    assert checked.to_dict()["gate_level"] == {"elements": 100, "mismatches": 3}


def test_a_unit_that_is_not_placed_has_no_frequency(tmp_path):
    unit, flow = small_unit(tmp_path, "xilinx7"), flow_for("xilinx7")
    made = synthesise(unit, flow, 1, KEPT)
    fields = made.to_dict()
    assert list(fields) == FIELDS
    assert fields["frequency"] == "not placed"
    assert fields["seeds"] == []
    without = {name for name, value in fields.items() if value is None}
    assert without == {
        "preset", "fmax_mhz", "melem_per_s", "melem_per_s_per_lut", "melem_per_s_per_lut_and_dsp",
        "critical_path",
    }  # fmt: skip
    assert (fields["dsp"], fields["bram"]) == (2, 4)
    cells = flow.synthesise(unit).unit
    luts = sum(count for kind, count in cells.items() if re.fullmatch(r"LUT[1-6]", kind))
    assert fields["lut"] == luts + 4 * cells["RAM32M"] > luts
    assert fields["ff"] == sum(count for kind, count in cells.items() if kind.startswith("FD"))
    assert not [kind for kind in cells if kind.startswith("SRL")]
    synthesis_report.write_markdown([made], tmp_path / "report.md")
    text = (tmp_path / "report.md").read_text()
    assert "| softmax custom max_subtract | 1 | xilinx7 | not placed |" in text
    assert "no open tool does that for the device" in text
    assert "Critical paths" not in text
    with pytest.raises(
        ConfigError, match="no open tool must be asked to place a design on xilinx7"
    ):
        flow.place(flow.synthesise(unit), 1)


def test_the_work_is_one_call(on_ecp5, synthesis):
    assert synthesise(on_ecp5.unit, on_ecp5.flow, len(SEEDS), KEPT) == synthesis


def test_the_wrapper_has_a_register_for_every_bit_of_a_port(synthesis):
    ports = synthesis.unit.description["ports"]
    bits = {
        direction: sum(p["width"] for p in ports.values() if p["direction"] == direction)
        for direction in ("input", "output")
    }
    assert synthesis.wrapper_lut == bits["output"]
    assert synthesis.wrapper_ff == bits["input"] - 1 + bits["output"]  # all but the clock


@pytest.mark.parametrize("target", ["ecp5", "ice40"])
def test_what_is_left_without_the_wrapper_is_the_unit_packed_alone(target, request, tmp_path):
    """Subtracting is exact: no LUT of the unit shares a cell with the wrapper."""
    made = request.getfixturevalue(f"on_{target}")
    design = made.netlist.design.parent
    shutil.copy(design / "unit.il", tmp_path)
    run_tool(
        made.flow.yosys,
        ["-q", "-p", f"read_rtlil unit.il; hierarchy -top {made.unit.top}; write_json design.json"],
        tmp_path, "yosys.log",
    )  # fmt: skip
    device, placer = made.flow.device, made.flow.device.placer
    used = {}
    for name, json_file in (("alone", tmp_path), ("wrapped", design)):
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(json_file / "design.json", folder)
        options = [*placer.options, "--pack-only", "--json", "design.json"]
        run_tool(made.flow.placer, options, folder, "log")
        log = (folder / "log").read_text()
        (line,) = [line for line in log.splitlines() if f"{placer.logic}:" in line]
        used[name] = int(line.split(":")[2].split("/")[0])
    assert used["wrapped"] - device.logic_count(made.netlist.wrapper) == used["alone"]


def test_results_are_kept_for_one_version_of_each_tool(on_ecp5, synthesis):
    gone = Tool("gone", ("/no/such/tool",), on_ecp5.flow.placer.version)
    kept = replace(on_ecp5.flow, yosys=replace(gone, version=on_ecp5.flow.yosys.version))
    kept = replace(kept, placer=gone)
    netlist = kept.synthesise(on_ecp5.unit)
    assert netlist == on_ecp5.netlist
    assert kept.place(netlist, 1)["fmax"]
    placer = kept.device.placer
    placer = replace(placer, options=(*placer.options, "--no-tmdriv"))
    for other in (
        replace(kept, placer=replace(gone, version="another")),
        replace(kept, device=replace(kept.device, placer=placer)),
    ):
        with pytest.raises(ConfigError, match="tool must be a program that runs, and does not"):
            other.place(netlist, 1)
    with pytest.raises(ConfigError, match="tool must be a program that runs, and does not"):
        kept.place(netlist, 99)
    with pytest.raises(ConfigError, match="tool must be a program that runs, and does not"):
        replace(kept, yosys=replace(gone, version="another")).synthesise(on_ecp5.unit)


def test_a_netlist_that_lost_cells_is_refused(on_ecp5, tmp_path, monkeypatch):
    """As where a wrapper leaves an output open, and what computes it is trimmed away."""

    def deaf(top, ports):
        from softmaxfx.fpga.wrapper import wrapper_text

        return wrapper_text(top, ports).replace("seen ^", "seen[0] ^")

    monkeypatch.setattr("softmaxfx.fpga.flow.wrapper_text", deaf)
    with pytest.raises(
        ConfigError, match=r"yosys must keep every cell of softmax_\w+ in its wrapper"
    ):
        replace(on_ecp5.flow, cache=tmp_path).synthesise(on_ecp5.unit)


def test_the_report_is_written_for_machines_and_people(synthesis, tmp_path):
    synthesis_report.write_json([synthesis], tmp_path / "sub" / "report.json")
    assert json.loads((tmp_path / "sub" / "report.json").read_text()) == [synthesis.to_dict()]
    synthesis_report.write_markdown([synthesis], tmp_path / "report.md")
    text = (tmp_path / "report.md").read_text()
    assert "| softmax custom max_subtract | 1 | ecp5-portable |" in text
    assert "--speed 6" in text
    assert str(synthesis.path) in text
    with pytest.raises(ConfigError, match=r"report\.json must be a writable file: File exists"):
        synthesis_report.write_json([synthesis], tmp_path / "report.md" / "report.json")
