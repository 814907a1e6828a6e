"""The command: what it refuses in one sentence, and one run from end to end."""

import json
import re

import pytest
from click.testing import CliRunner

from softmaxfx.cli import main

from .conftest import KEPT, flow_for

SMALL = [
    "--preset", "tiny", "--max-length", "8", "--set", "input=SQ(5, 2)", "--set", "output=UQ(0, 4)",
]  # fmt: skip


def call(*arguments: object):
    return CliRunner().invoke(main, ["synth", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--target", "virtex"],
            r"target must be one of ecp5, ice40, xilinx7, xilinxup, not 'virtex'",
        ),
        (
            ["--target", "xilinx7", "--seeds", "3"],
            r"--seeds must be given for a device that a unit is placed on, not for xilinx7",
        ),
        ([], r"Missing option '--target'"),
        (["--target", "ecp5", "--seeds", "0"], r"Invalid value for '--seeds': 0 is not in"),
        (["--target", "ecp5", "--preset", "bse"], r"unknown preset 'bse'; presets are"),
        (["relu", "--target", "ecp5"], r"unknown unit 'relu'; units are softmax"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence, tmp_path):
    out = tmp_path / "out"
    result = call(*arguments, "--out", out)
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert not (out / "report.json").exists()


def test_a_unit_goes_through_to_a_report(tmp_path):
    flow_for("ecp5")
    out = tmp_path / "out"
    out.mkdir()
    for kept in ("cache", "models"):
        (KEPT / kept).mkdir(parents=True, exist_ok=True)
        (out / kept).symlink_to(KEPT / kept, target_is_directory=True)
    mine = tmp_path / "mine.json"
    result = call(*SMALL, "--target", "ecp5", "--portable", "--seeds", 1, "--check", "--json", mine,
                  "--out", out)  # fmt: skip
    assert result.exit_code == 0, result.output
    (fields,) = json.loads(mine.read_text())
    assert json.loads((out / "report.json").read_text()) == [fields]
    assert fields["target"] == "ecp5-portable"
    assert fields["seeds"] == [1]
    assert fields["gate_level"]["mismatches"] == 0
    assert fields["gate_level"]["elements"] > 1000
    assert "placing and routing, 1 seeds" in result.output
    assert (out / "report.md").exists()
