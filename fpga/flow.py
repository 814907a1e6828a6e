"""From the Verilog of a unit to a placed and routed design, every step kept and never redone.

The unit is synthesised alone, and so is the wrapper around it, with the unit as a black box. The
two netlists are then put together without another optimisation: nothing moves across the unit's
border, and what is timed is, cell for cell, the netlist that :mod:`.gate_level` simulates.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..golden.errors import ConfigError
from ..sim.sidecar import Unit
from ..sim.store import once
from .device import Cells, Device
from .tools import Tool, find_tool, run_tool
from .wrapper import TOP, wrapper_text

# `synth_ice40 -dsp` warns of a net with two drivers, keeps one of them, and goes on with a netlist
# that computes something else: an error here
YOSYS_OPTIONS = ("-q", "-e", "conflict")


@dataclass(frozen=True, slots=True)
class Netlist:
    """A synthesised unit.

    Attributes:
        verilog: the unit alone, its ports under their names, in cells of the device.
        design: the unit in its wrapper, as JSON for the placer.
        unit, wrapper: cells of the two.
    """

    verilog: Path
    design: Path
    unit: Cells
    wrapper: Cells


@dataclass(frozen=True, slots=True)
class Flow:
    """The tools of a device, and the folder of results.

    Attributes:
        placer: None where no open tool places a design on the device.
        cache: one folder a result, named by all that it depends on.
    """

    device: Device
    yosys: Tool
    placer: Tool | None
    cache: Path

    @classmethod
    def find(cls, device: Device, cache: Path) -> "Flow":
        """The flow with the installed tools.

        Raises:
            ConfigError: a tool is missing; says what to install.
        """
        placer = find_tool(device.placer.tool) if device.placer else None
        return cls(device, find_tool("yosys"), placer, cache)

    def synthesise(self, unit: Unit) -> Netlist:
        """Synthesise a unit, and its wrapper.

        Raises:
            ConfigError: yosys failed, or what it put together lacks cells of one of the two.
        """
        wrapper = wrapper_text(unit.top, unit.description["ports"])
        verilog = unit.verilog.read_text()
        scripts = [
            "read_verilog unit.v",
            f"{self.device.synthesise} -top {unit.top}",
            "tee -q -o unit_cells.json stat -json",
            "write_verilog -noattr netlist.v",
            "write_rtlil unit.il",
            "design -reset",
            "read_verilog wrapper.v",
            f"{self.device.synthesise} -top {TOP}",
            "tee -q -o wrapper_cells.json stat -json",
            "read_rtlil -overwrite unit.il",
            f"hierarchy -top {TOP}",
            "flatten",
            "clean",
            "tee -q -o design_cells.json stat -json",
            "write_json design.json",
        ]

        def fill(folder: Path) -> None:
            (folder / "unit.v").write_text(verilog)
            (folder / "wrapper.v").write_text(wrapper)
            run_tool(self.yosys, [*YOSYS_OPTIONS, "-p", "; ".join(scripts)], folder, "yosys.log")

        recipe = [verilog, wrapper, scripts, YOSYS_OPTIONS, self.yosys.version]
        home = once(self.cache, recipe, fill)
        cells = [_cells(home / f"{part}_cells.json") for part in ("unit", "wrapper", "design")]
        cells[1].pop(unit.top)
        if cells[2] != cells[0] + cells[1]:
            raise ConfigError(
                f"yosys must keep every cell of {unit.top} in its wrapper, not lose or add "
                f"{dict((cells[0] + cells[1]) - cells[2] or cells[2] - (cells[0] + cells[1]))} "
                f"(log: {home / 'yosys.log'})"
            )
        return Netlist(home / "netlist.v", home / "design.json", cells[0], cells[1])

    def place(self, netlist: Netlist, seed: int) -> dict[str, Any]:
        """Place and route with a seed; nextpnr's report.

        Raises:
            ConfigError: nextpnr failed, as it does where the design does not fit; or there is no
                tool that places it.
        """
        tool, placer = self.placer, self.device.placer
        if tool is None or placer is None:
            raise ConfigError(f"no open tool must be asked to place a design on {self.device.name}")
        recipe = [netlist.design.parent.name, placer.options, tool.version, seed]

        def fill(folder: Path) -> None:
            (folder / "design.json").hardlink_to(netlist.design)
            run_tool(
                tool,
                [*placer.options, "--seed", str(seed), "--json", "design.json",
                 "--report", "report.json"],
                folder, "nextpnr.log",
            )  # fmt: skip

        home = once(self.cache, recipe, fill)
        return json.loads((home / "report.json").read_text())


def _cells(file: Path) -> Counter[str]:
    """Cells by type of yosys' ``stat -json``, without those that are no hardware."""
    counts = json.loads(file.read_text())["design"]["num_cells_by_type"]
    return Counter({kind: count for kind, count in counts.items() if not kind.startswith("$")})
