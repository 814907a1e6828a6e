"""Builds the simulation model of a unit in its testbench, and runs it under cocotb."""

import functools
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import cocotb_tools.config
import find_libpython

from ..golden.errors import ConfigError
from .environment import own_environment
from .plain import PlainPaths, plain_paths, require_plain_links
from .processes import run_to_end, worker_count
from .sidecar import Unit
from .store import once
from .tools import find_program, make_python, tool_versions, verilator_command
from .wiring import tb_sources, tb_top

__all__ = [
    "Model", "build", "build_once", "check_tools", "run_cocotb", "verilate",
]  # fmt: skip

EXECUTABLE = "simulator"
OPTIONS = (
    "--cc", "--exe", "--vpi", "--prefix", "Vtop", "-o", EXECUTABLE,
    "-O3", "--x-assign", "unique", "--x-initial", "unique",
    "-Wno-fatal", "-Wno-lint", "-Wno-style",  # the export's own test lints with -Wall
)  # fmt: skip
MAKE_OPTIONS = (
    "OPT_FAST=-O2",
    "CXX=g++",  # the compiler that was asked whether it works
    "LINK=g++",
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
    top: str
    simulator: str = "verilator"


def check_tools(cache: Path) -> None:
    """Check what a build needs, before the work that comes before it.

    Args:
        cache: directory of built models.

    Raises:
        ConfigError: a tool is missing, broken or too old, or cannot be given these paths.
    """
    tool_versions()
    for path in (cache, Path(sys.prefix)):
        require_plain_links(path)


def build(unit: Unit, cache: Path, *, waves: bool = False, coverage: bool = False) -> Model:
    """Build the model of a unit in its testbench, or reuse the one built from the same input.

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
    return verilate(tb_sources(unit, cache), tb_top(unit), cache, options)


def verilate(sources: list[Path], top: str, cache: Path, options: list[str]) -> Model:
    """Build the Verilator model of Verilog files, or reuse the one built from the same input.

    Args:
        top: the top module. options: of Verilator, besides those of every model.

    Raises:
        ConfigError: no compiler, or Verilog that does not build; says where the log is.
    """
    with plain_paths() as plain:

        def commands(folder: Path) -> list[list[str]]:
            work, runtime = plain.workplace(folder), _runtime(options, cache, plain)
            moved = [] if work == folder else [["mv", f"{work}/{EXECUTABLE}", str(folder)]]
            return [*_commands(sources, top, options, work, plain, runtime), *moved]

        recipe = [tool_versions(), version("cocotb"), [*OPTIONS, *options], MAKE_OPTIONS, top]
        _, more = verilator_command(plain)
        home, reused = build_once(sources, recipe, commands, cache, more, holds=(EXECUTABLE,))
    return Model(home / EXECUTABLE, reused, top)


def _commands(
    sources: list[Path],
    top: str,
    options: list[str],
    work: Path,
    plain: PlainPaths,
    runtime: list[Path],
) -> list[list[str]]:
    """What makes a model in a folder; ``runtime`` are object files that need not be made."""
    verilator, _ = verilator_command(plain)
    libraries = plain(cocotb_tools.config.libs_dir)
    main = plain(cocotb_tools.config.share_dir) / "lib" / "verilator" / "verilator.cpp"
    # the simulator is told where they are when it starts: an rpath cannot hold every path
    flags = f"-L{libraries} -Wl,-rpath-link,{libraries} -lcocotbvpi_verilator"
    files = [str(plain(source)) for source in sources]
    return [
        [verilator, *OPTIONS, "--top-module", top, *options, "-LDFLAGS", flags,
         "--Mdir", str(work), str(main), *files],
        *([["cp", *(str(plain(file)) for file in runtime), str(work)]] if runtime else []),
        ["make", "-C", str(work), "-f", "Vtop.mk", f"-j{worker_count()}",
         f"PYTHON3={make_python(plain)}", *MAKE_OPTIONS],
    ]  # fmt: skip


def _runtime(options: list[str], cache: Path, plain: PlainPaths) -> list[Path]:
    """Object files of Verilator's own code: the same in every model of the same options, and most
    of what there is to compile in a small one.

    Raises:
        ConfigError: as for a model.
    """
    _, more = verilator_command(plain)

    def fill(folder: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="softmaxfx-") as scratch:
            work, source = plain.workplace(Path(scratch)), Path(scratch) / "nothing.v"
            # what is public brings in the same code as in a testbench
            source.write_text("module nothing; reg seen /*verilator public_flat_rw*/; endmodule\n")
            commands = _commands([source], "nothing", options, work, plain, [])
            _run_logged(commands, folder, own_environment(**more))
            for file in work.glob("verilated*.o"):
                shutil.copy(file, folder)

    recipe = ["runtime", tool_versions(), [*OPTIONS, *options], MAKE_OPTIONS]
    return sorted(once(cache.absolute(), recipe, fill).glob("verilated*.o"))


def build_once(
    sources: list[Path],
    recipe: object,
    commands: Callable[[Path], list[list[str]]],
    cache: Path,
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    holds: tuple[str, ...] = (),
) -> tuple[Path, bool]:
    """Run the commands that fill a folder of ``cache``, unless they were run before.

    Args:
        sources: the files and ``recipe`` what else the outcome depends on.
        commands: told the folder.
        environment: what they see, besides what every process does.
        holds: files in the folder that they must make.

    Returns:
        The folder, and whether it was there before.

    Raises:
        ConfigError: a command failed, or did not make its file; says where the log is.
    """
    texts = b"".join(source.read_bytes() for source in sources)
    filled = []

    def fill(folder: Path) -> None:
        _run_logged(commands(folder), folder, own_environment(**environment))
        for name in holds:
            if not (folder / name).is_file():
                raise ConfigError(
                    f"the Verilog must build: no {name} was made (log: {folder / 'build.log'})"
                )
        filled.append(folder)

    recipe = [recipe, hashlib.sha256(texts).hexdigest()]
    home = once(cache.absolute(), recipe, fill, holds=holds)
    return home, not filled


def _run_logged(commands: list[list[str]], folder: Path, variables: dict[str, str]) -> None:
    log = folder / "build.log"
    with log.open("wb") as output:
        failed = any(run_to_end(command, output, env=variables) for command in commands)
    if failed:
        text = log.read_text(errors="replace")
        lines = [line for line in text.splitlines() if "rror" in line]
        raise ConfigError(
            f"the Verilog must build: {lines[0] if lines else 'it failed'} (log: {log})"
        )


def run_cocotb(
    model: Model,
    test_module: str,
    folder: Path,
    *,
    waves: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
    tick: Callable[[], object] = lambda: None,
) -> None:
    """Run the tests of a cocotb module on a model.

    Args:
        test_module: its import name. environment: what its process sees, besides what is cocotb's.
        folder: working directory; ``sim.log`` and ``results.xml`` are written there.
        tick: called now and then meanwhile, and once at the end.

    Raises:
        ConfigError: the simulator cannot be run.
        RuntimeError: the simulator failed.
    """
    with plain_paths() as plain, (folder / "sim.log").open("wb") as log:
        status = run_to_end(
            _command(model, waves),
            log,
            cwd=folder,
            env=own_environment(**_cocotb(model, test_module, folder, plain), **environment),
            tick=tick,
        )
    if status:
        raise RuntimeError(f"the simulator failed with exit status {status}")


def _command(model: Model, waves: bool) -> list[str]:
    """The simulator, with cocotb's library in it or to be loaded."""
    executable = str(model.executable.resolve())
    if model.simulator == "verilator":
        return [executable, *(["--trace"] if waves else [])]
    vvp = find_program("vvp", "the second simulator needs", "install the system package iverilog")
    return [vvp, "-m", cocotb_tools.config.lib_entry("vpi", model.simulator), executable, "-none"]


def _cocotb(model: Model, test_module: str, folder: Path, plain: PlainPaths) -> dict[str, str]:
    """What cocotb reads from its environment, as its documents say of a flow without its runner.

    The runner takes over the whole environment of this process, and reads switches from it.
    """
    entry, _, function = cocotb_tools.config.pygpi_entry_point().rpartition(",")
    libraries = str(plain(cocotb_tools.config.libs_dir))
    paths = {
        name: os.pathsep.join([libraries, *filter(None, [os.environ.get(name)])])
        for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    }
    return paths | {
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path),
        "PYGPI_PYTHON_BIN": sys.executable,
        "GPI_USERS": f"{plain(_libpython())};{plain(Path(entry))},{function}",
        "TOPLEVEL_LANG": "verilog",
        "COCOTB_TOPLEVEL": model.top,
        "COCOTB_TEST_MODULES": test_module,
        "COCOTB_RESULTS_FILE": str(folder.resolve() / "results.xml"),
        # the scoreboard asserts nothing inside the simulator: rewriting is start-up for nothing
        "COCOTB_REWRITE_ASSERTION_FILES": "",
        # a simulator that keeps the order of writes, as cocotb's own runner has it
        **({"COCOTB_TRUST_INERTIAL_WRITES": "1"} if model.simulator == "verilator" else {}),
    }


@functools.cache
def _libpython() -> Path:
    found = find_libpython.find_libpython()
    if found is None:
        raise ConfigError(
            f"the simulation needs Python as a shared library, which {sys.executable} has not"
        )
    return Path(found)
