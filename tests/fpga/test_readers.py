"""What ships is read by every tool a user has, without a warning of its default set.

A case is (unit, configuration, options of the export); a row more is a case more.
"""

import re
import shlex
import shutil
import subprocess
import sys

import pyslang
import pytest

from softmaxfx.fpga.export import export
from softmaxfx.fpga.tools import find_tool, run_tool
from softmaxfx.golden import SQ, preset
from softmaxfx.sim.environment import own_environment
from softmaxfx.sim.plain import plain_paths
from softmaxfx.sim.sidecar import load_unit
from softmaxfx.sim.tools import verilator_command

from ..conftest import left_long

CASES = {
    "softmax": ("softmax", preset("base"), {}),
    "exact sum": ("softmax", preset("int8", datapath="exact_sum"), {}),
    "one lane": ("softmax", preset("tiny"), {}),
    "case tables": ("softmax", preset("tiny", datapath="exact_sum"), {"rom": "case"}),
    "three lanes, tid": ("softmax", preset("int8", lanes=3, max_length=10, id_width=2), {}),
    "rows of one element": ("softmax", preset("tiny", max_length=1), {}),
    "logarithms": (
        "softmax", preset("tiny", function="log_softmax", output=SQ(6, 10), clip="difference"), {}
    ),
    "ECP5": ("softmax", preset("tight", lanes=2, datapath="exact_sum"), {"target": "ecp5"}),
    "iCE40": ("softmax", preset("tiny", datapath="exact_sum"), {"target": "ice40"}),
    "7-series": ("softmax", preset("tiny", datapath="exact_sum"), {"target": "xilinx7"}),
    "UltraScale+": ("cross_entropy", preset("int8", lanes=2), {"target": "xilinxup"}),
    "no initial values": (
        "softmax", preset("tiny", datapath="exact_sum"), {"rom": "case", "init": "none"}
    ),
    "backward": ("softmax_backward", preset("base", lanes=2, rounding="stochastic"), {}),
    "backward, one lane": ("softmax_backward", preset("tiny", clip_gradient="pass"), {}),
    "backward, ECP5": ("softmax_backward", preset("tiny"), {"target": "ecp5"}),
    "cross-entropy": ("cross_entropy", preset("base", lanes=3), {}),
    "cross-entropy, one lane": ("cross_entropy", preset("tiny"), {}),
    "cross-entropy, one lane, ECP5": (
        "cross_entropy", preset("int8", lanes=1, datapath="exact_sum"), {"target": "ecp5"}
    ),
    "cross-entropy, iCE40": ("cross_entropy", preset("tiny", lanes=2), {"target": "ice40"}),
}  # fmt: skip


@pytest.fixture(
    scope="module",
    params=left_long(CASES, "case tables", "ECP5", "cross-entropy, one lane"),
)
def unit(request, tmp_path_factory):
    name, config, options = CASES[request.param]
    return load_unit(export(config, tmp_path_factory.mktemp("v"), unit=name, **options).verilog)


def files(unit):
    return [str(file) for file in (unit.verilog, *unit.models)]


def quiet(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize("options", [(), ("-Wall",)])
def test_verilator_warns_of_nothing(unit, options):
    with plain_paths() as plain:
        verilator, more = verilator_command(plain)
        command = [verilator, "--lint-only", *options, "--top-module", unit.top, *files(unit)]
        environment = own_environment(**more)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog (iverilog) is not installed"
)
@pytest.mark.parametrize("language", ["2001", "2005", "2012"])
def test_icarus_warns_of_nothing(unit, language, tmp_path):
    output = ["-s", unit.top, "-o", str(tmp_path / "sim.vvp")]
    command = ["iverilog", "-Wall", f"-g{language}", *output, *files(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_slang_warns_of_nothing(unit):
    driver = pyslang.driver.Driver()
    driver.addStandardArgs()
    assert driver.parseCommandLine(shlex.join(["slang", "--top", unit.top, *files(unit)]))
    assert driver.processOptions()
    assert driver.parseAllSources()
    engine = driver.diagEngine
    warnings = [
        engine.formatMessage(diagnostic)
        for diagnostic in driver.createCompilation().getAllDiagnostics()
        if engine.getSeverity(diagnostic.code, diagnostic.location)
        != pyslang.DiagnosticSeverity.Ignored
    ]
    assert warnings == []


def test_yosys_reads_it(unit, tmp_path):
    names = [file.name for file in (unit.verilog, *unit.models)]
    for file in (unit.verilog, *unit.models):
        shutil.copy(file, tmp_path)
    read = f"read_verilog {names[0]}"
    read += "".join(f"; read_verilog -lib {model}" for model in names[1:])  # their ports alone
    script = f"{read}; hierarchy -check -top {unit.top}; proc; check -assert"
    run_tool(find_tool("yosys"), ["-q", "-p", script], tmp_path, "yosys.log")
    assert (tmp_path / "yosys.log").read_text() == ""


PYVERILOG = """
import sys
from pyverilog.vparser.parser import parse
tree, _ = parse([sys.argv[1]], outputdir=sys.argv[2], debug=False)
print(*(definition.name for definition in tree.description.definitions))
"""


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="pyverilog's preprocessor is Icarus Verilog (iverilog)"
)
def test_pyverilog_reads_it(unit, tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", PYVERILOG, str(unit.verilog), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert unit.top in done.stdout.split()


def test_every_case_has_a_default(unit):
    text = unit.verilog.read_text()
    assert len(re.findall(r"^ *casez? ", text, re.M)) == len(re.findall(r"^ *default:", text, re.M))


def test_no_signal_has_no_bits(unit):
    assert not re.findall(r"\[-\d+:", unit.verilog.read_text())


def test_models_ship_for_whatever_a_target_instantiates(unit):
    assert bool(unit.models) == (unit.description["target"] != "generic")
    assert [file.name for file in unit.models] == unit.description["simulation_files"]
