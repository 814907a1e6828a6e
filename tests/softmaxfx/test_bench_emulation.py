"""``softmaxfx bench-emulation``: measured from end to end, and refused in one sentence."""

import json
import re
import sys

import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.study.emulation import jobs
from softmaxfx.study.emulation.cases import FORWARD, QUICK, Case
from softmaxfx.study.emulation.jobs import Place
from softmaxfx.study.emulation.measured import Measured, Plan, Result
from softmaxfx.study.emulation.run import Run

torch = pytest.importorskip("torch", reason="torch is not installed")

WRONG = """
import runpy, sys
from softmaxfx.golden.torch.engines.torch_engine import TorchEngine
right = TorchEngine.softmax
def wrong(self, x, config, **options):
    rows = right(self, x, config, **options)
    rows.result[5, 7] += 2.0**-8
    return rows
TorchEngine.softmax = wrong
runpy.run_module("softmaxfx.study.emulation.worker", run_name="__main__")
"""
QUICKLY = ("--quick", "--engine", "torch", "--threads", "1", "--shape", "64x100")


def call(*arguments: object):
    return CliRunner().invoke(main, ["bench-emulation", *map(str, arguments)])


def test_it_measures_from_end_to_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*QUICKLY, "--json", "e.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "e.json").read_text())
    assert found["difference"] == ""
    assert [process["phase"] for process in found["processes"]] == ["check", "time"]
    assert len({process["pid"] for process in found["processes"]}) == 2
    assert len(found["results"]) == 16
    assert list(found["results"][0]) == [
        "engine", "device", "threads", "isa", "operation", "preset", "datapath", "shape", "causal",
        "checked", "mode", "float_seconds", "seconds", "count", "bytes_per_second",
        "copy_bytes_per_second", "float_peak_bytes", "peak_bytes", "ratio",
    ]  # fmt: skip
    for result in found["results"]:
        assert result["ratio"] == result["seconds"] / result["float_seconds"] > 0
        assert result["checked"] >= QUICK.elements
    assert done.output.count("│ torch") == 16
    assert not (tmp_path / "docs").exists()


def test_a_wrong_engine_is_named_and_not_timed(tmp_path, monkeypatch):
    planted = tmp_path / "planted.py"
    planted.write_text(WRONG)
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, "-P", planted))
    done = call(*QUICKLY, "--json", tmp_path / "e.json")
    assert done.exit_code == 1, done.output
    difference = "torch, forward 64x100 base max_subtract: p of row 5, element 7 is "
    assert f"nothing is timed: {difference}" in done.output
    found = json.loads((tmp_path / "e.json").read_text())
    assert found["difference"].startswith(difference)
    assert found["results"] == []
    assert [process["phase"] for process in found["processes"]] == ["check"]


REFUSED = {
    "an engine of none": (["--engine", "x"], r"engine must be one of .*compiled.*, not 'x'"),
    "threads beyond all": (
        ["--threads", "100000"], r"--threads must be at most the number of processors, \d+, not 100"
    ),
    "no threads": (["--threads", "0"], r"'--threads': 0 is not in the range"),
    "a shape of none": (["--shape", "3x4"], r"--shape must be one of 4096x1024, .*, not '3x4'"),
    "instructions of none": (["--isa", "sse"], r"'sse' is not one of 'avx512', 'avx2'"),
    "instructions of another": (
        ["--isa", "avx2", "--engine", "torch"], r"--isa must be given with the engine compiled"
    ),
    "a document of a part": (["--write", "--quick"], r"--write must be given without --quick"),
    "a document of a shape": (
        ["--write", "--shape", "4096x1024"], r"--write must be given without --quick and --shape"
    ),
    "a GPU with threads": (["--cuda", "--threads", "1"], r"--cuda must be given without --engine"),
    "no GPU": (["--cuda"], r"--cuda needs a CUDA device, and torch finds none"),
    "a folder as a file": (["--json", "."], r"--json must be a writable file"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_one_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(Plan, "measure", lambda *_: pytest.fail("it was measured"))
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("whole", [True, False])
def test_the_document_is_written_of_a_whole_run_alone(whole, tmp_path, monkeypatch):
    process = {"engine": "torch", "isa": "", "processor": "P", "torch": "2", "instructions": "A",
               "threads": 1}  # fmt: skip
    case = Case(FORWARD, QUICK.softmax[0], "base", "exact_sum")
    run = Run("eager", 0.1, 0.2, 5) if whole else None
    measured = Measured([process], [Result(Place("torch"), case, 6000, run)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Plan, "measure", lambda *_: measured)
    done = call("--write", "--engine", "torch", "--threads", "1")
    assert done.exit_code == (0 if whole else 2)
    assert (tmp_path / "docs" / "emulation.md").exists() == whole
    if not whole:
        assert "--write must be of all cases, and the time was over before 1" in done.stderr
