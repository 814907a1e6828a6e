"""Yosys and nextpnr: which ones are installed, in exactly which version, and how one is run."""

import importlib.metadata
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ..golden.errors import ConfigError
from ..sim.processes import ask, run_to_end
from .caches import keep_compiled

COMPILING = 600.0
"""Seconds that a tool from a wheel may take to compile itself, on a slow and busy machine."""


_LOG = " (log: "


class ToolError(ConfigError):
    """A tool ran, and failed on the design: as where that does not fit on the device."""

    def __init__(self, tool: str, reason: str, log: Path) -> None:
        super().__init__(f"{tool} failed: {reason}{_LOG}{log})")

    @property
    def reason(self) -> str:
        """The tool's own, without the place of its log."""
        return without_log(str(self))


def without_log(sentence: str) -> str:
    """The sentence of a :class:`ToolError` without the place of the log."""
    return sentence.partition(_LOG)[0]


@dataclass(frozen=True, slots=True)
class Tool:
    """An installed tool.

    Attributes:
        name: as in ``yosys`` or ``nextpnr-ecp5``.
        command: the words that run it, before its arguments.
        version: told apart to the last digit: results of another version are other results.
    """

    name: str
    command: tuple[str, ...]
    version: str


def find_tool(name: str) -> Tool:
    """The wheel's tool beside this Python, or else the one on the PATH; it has been run once.

    A tool from a wheel is WebAssembly that compiles itself in its first run, up to a minute.

    Raises:
        ConfigError: there is none, or it does not run; says what to install.
    """
    keep_compiled()
    wheel = f"yowasp-{name}"
    command = _of_wheel(wheel)
    native = None if command else shutil.which(name)
    if not (command or native):
        raise ConfigError(f"synthesis needs {name}: pip install 'softmaxfx[synth]'")
    words = command or (str(native),)
    output = ask(f"synthesis needs {name}", [*words, "-V"], timeout=COMPILING)
    version = f"{wheel} {importlib.metadata.version(wheel)}" if command else output.splitlines()[-1]
    return Tool(name, words, version)


def tool_version(name: str) -> str:
    """Which version :func:`find_tool` would find; a wheel's is told without running it.

    ``"none"`` where there is none, or it does not run.
    """
    wheel = f"yowasp-{name}"
    if _of_wheel(wheel):
        return importlib.metadata.version(wheel)
    try:
        return find_tool(name).version
    except ConfigError:
        return "none"


def _of_wheel(script: str) -> tuple[str, ...]:
    """What runs the script of a wheel; nothing where there is none.

    Not the script itself: its first line cannot name a Python whose path has a quote.
    """
    found = importlib.metadata.entry_points(group="console_scripts", name=script)
    for entry in found:
        run = f"from {entry.module} import {entry.attr} as main; main()"
        return sys.executable, "-P", "-c", run
    return ()


def run_tool(tool: Tool, arguments: list[str], folder: Path, log: str) -> None:
    """Run a tool in a folder, which its files' names are relative to.

    Args:
        log: name of the file in ``folder`` that its output goes to.

    Raises:
        ToolError: it failed; the sentence has the tool's own reason, and where the log is.
    """
    path = folder / log
    with path.open("wb") as output:
        status = run_to_end([*tool.command, *arguments], output, cwd=folder)
    if status:
        raise ToolError(tool.name, _reason(path.read_text(errors="replace")), path)


def _reason(text: str) -> str:
    """What does not fit on the device, or else the last error."""
    full = [
        f"the design needs {used} {kind}, the device has {available}"
        for kind, used, available in re.findall(r"(\w+): +(\d+)/ *(\d+) +\d+%", text)
        if int(used) > int(available)
    ]
    errors = re.findall(r"^.*\bERROR: (.*)", text, re.MULTILINE)
    lines = text.strip().splitlines() or ["it printed nothing"]
    return (full[:1] or errors[-1:] or lines[-1:])[0].rstrip(".")
