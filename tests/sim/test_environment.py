"""What a user has set for other work changes nothing in what this package starts."""

import shutil
import subprocess

import pytest

from softmaxfx.fpga.export import export
from softmaxfx.fpga.tools import Tool, run_tool
from softmaxfx.golden import preset
from softmaxfx.sim import icarus
from softmaxfx.sim.environment import KEPT, own_environment
from softmaxfx.sim.processes import run_to_end
from softmaxfx.sim.run import simulate
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.simulator import build

from ..conftest import left_long
from .rows import few_rows

SMALL = preset("tiny", max_length=4)

OTHERS = {
    "cocotb": {
        "WAVES": "1", "GUI": "1", "SIM_CMD_PREFIX": "false", "SIM_CMD_SUFFIX": "+x",
        "COCOTB_TEST_FILTER": "none", "COCOTB_TESTCASE": "none", "COCOTB_RANDOM_SEED": "x",
        "COCOTB_LOG_LEVEL": "nonsense", "COCOTB_RESOLVE_X": "nonsense", "COCOTB_LIST_TESTS": "1",
        "COCOTB_PDB_ON_EXCEPTION": "1", "COCOTB_SCHEDULER_DEBUG": "1", "COCOTB_ATTACH": "600",
        "COCOTB_USER_COVERAGE": "1", "COVERAGE_PROCESS_START": "/no/such/file",
        "COVERAGE_RCFILE": "/no/such/file", "TOPLEVEL_LANG": "vhdl", "MODULE": "none",
    },
    "cocotb, not even a switch": {"WAVES": "maybe", "GUI": "perhaps"},
    "gpi": {
        "GPI_USERS": "/no/such/lib.so", "GPI_EXTRA": "/no/such/lib.so:x", "GPI_DEBUG": "1",
        "GPI_LOG_LEVEL": "nonsense", "PYGPI_USERS": "none:none", "PYGPI_ENTRY_POINT": "none:none",
        "PYGPI_PYTHON_BIN": "/no/such/python", "LIBPYTHON_LOC": "/no/such/libpython.so",
    },
    "make": {
        "MAKEFLAGS": "n", "MFLAGS": "-n", "GNUMAKEFLAGS": "-i", "MAKELEVEL": "7",
        "MAKEFILES": "/no/such/makefile", "MAKEOVERRIDES": "CXX=false", "SHELL": "/bin/false",
        "VM_TRACE": "1", "OPT": "-nonsense",
    },
    "make, going on after errors": {"MAKEFLAGS": "ik -j3"},
    "compiler": {
        "CXX": "false", "CC": "false", "LINK": "false", "AR": "false", "CXXFLAGS": "-nonsense",
        "CPPFLAGS": "-nonsense", "CFLAGS": "-nonsense", "LDFLAGS": "-nonsense",
        "LDLIBS": "-lnonsense", "LD_RUN_PATH": "/no", "CPATH": "/no/such", "GCC_EXEC_PREFIX": "/no",
        "COMPILER_PATH": "/no", "DEPENDENCIES_OUTPUT": "/no/such/file", "OBJCACHE": "false",
        "CCACHE_DIR": "/no/such", "CCACHE_PREFIX": "false", "OPT_FAST": "-nonsense",
    },
    "verilator": {
        "VERILATOR_ROOT": "/no/such", "VERILATOR_BIN": "false",
        "VERILATOR_TEST_FLAGS": "--lint-only", "VERILATOR_RUNNING": "99",
        "VERILATOR_GDB": "false", "VERILATOR_SOLVER": "false",
        "PERL5OPT": "-Mnonsense", "PERL5LIB": "/no/such", "VCD_FILE": "none",
    },
    "python": {
        "PYTHONHOME": "/no/such", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2",
        "PYTHONINSPECT": "1", "PYTHONSTARTUP": "/no/such", "PYTHONDEVMODE": "1",
        "PYTHONVERBOSE": "1", "PYTHONBREAKPOINT": "none", "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "utf-16", "PYTHONPLATLIBDIR": "none", "PYTHONSAFEPATH": "1",
    },
    "locale": {"LC_ALL": "tr_TR.nonsense", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"},
    "icarus": {"IVERILOG_VPI_MODULE_PATH": "/no", "IVERILOG_DUMPER": "none", "SIM": "none"},
}  # fmt: skip


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """A small unit, exported before any of the variables is set."""
    return load_unit(export(SMALL, tmp_path_factory.mktemp("unit"), name="little").verilog)


@pytest.fixture(scope="module")
def undisturbed(unit, tmp_path_factory):
    """Cycles of the unit's run without any of the variables."""
    return cycles(unit, tmp_path_factory.mktemp("undisturbed"), build)


def cycles(unit, folder, builder):
    """Build and run a unit from nothing; how many cycles it took."""
    shown = simulate(unit, builder(unit, folder / "models"), few_rows(), folder / "runs")
    assert shown.score.first == ""
    assert not list(folder.rglob("dump.vcd"))
    return shown.cycles, shown.latency_cycles


@pytest.mark.parametrize("whose", left_long(OTHERS, "cocotb", "make"))
def test_a_build_and_a_run_are_the_same(whose, unit, undisturbed, monkeypatch, tmp_path):
    for name, value in OTHERS[whose].items():
        monkeypatch.setenv(name, value)
    assert cycles(unit, tmp_path, build) == undisturbed


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_all_of_it_changes_nothing_in_icarus(unit, undisturbed, monkeypatch, tmp_path):
    for variables in OTHERS.values():
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    assert cycles(unit, tmp_path, icarus.build) == undisturbed


def shown(folder) -> set[str]:
    """Names of the variables that a program wrote to a file."""
    lines = (folder / "log").read_text().splitlines()
    return {line.partition("=")[0] for line in lines} - {"PWD", "SHLVL", "_", "OLDPWD"}


@pytest.mark.parametrize("how", ["simulation", "synthesis"])
def test_only_what_is_listed_reaches_a_program(how, monkeypatch, tmp_path):
    for variables in OTHERS.values():
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    if how == "synthesis":
        run_tool(Tool("env", ("env",), "1"), [], tmp_path, "log")
    else:
        with (tmp_path / "log").open("wb") as log:
            run_to_end(["env"], log)
    assert shown(tmp_path) <= {*KEPT, "LC_ALL", "PYTHONUTF8"}
    assert "PATH" in shown(tmp_path)


def test_what_is_kept_is_what_it_was(monkeypatch):
    for name in KEPT:
        monkeypatch.setenv(name, f"of {name}")
    ours = own_environment(MORE="more")
    assert {name: ours[name] for name in KEPT} == {name: f"of {name}" for name in KEPT}
    assert ours["MORE"] == "more"
    monkeypatch.delenv("HOME")
    assert "HOME" not in own_environment()
    assert subprocess.run(["/usr/bin/env"], env=own_environment(), check=False).returncode == 0
