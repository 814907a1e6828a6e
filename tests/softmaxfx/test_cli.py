"""Every mistake of a user is one sentence on stderr, exit status 2, and no half-written file."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.golden.torch.reference import REFERENCES
from softmaxfx.study import jacobian_cost, references


def call(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def assert_refused(result, sentence: str) -> None:
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["sim", "export"])
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "bse"], r"unknown preset 'bse'; presets are base, int8, wide, tiny"),
        (["relu"], r"unknown unit 'relu'; units are softmax"),
        (["--set", "widht=3"], r"--set must be FIELD=VALUE with a field of .*, not 'widht=3'"),
        (["--set", "lanes"], r"--set must be FIELD=VALUE with a field of .*, not 'lanes'"),
        (["--lanes", "0"], r"lanes must be a whole number from 1 to 64, not 0"),
        (["--lanes", "two"], r"'two' is not a valid integer"),
        (
            ["--datapath", "newton"],
            r"datapath must be one of max_subtract, exact_sum, not 'newton'",
        ),
        (
            ["--set", "input=SQ(4, 11)"],
            r"range must be at most 7\.99\d+ to be held by the input format SQ\(4, 11\), not 10",
        ),
        (["--set", "input=Q5"], r"input: format must be spelled like .*, not 'Q5'"),
        (["--set", "range=0.3"], r"range must be a whole number of input LSB \(2\^-11\), not 0\.3"),
        (
            ["--set", "exp_split=[16]"],
            r"exp_split's index bits must be a whole number from 1 to 12, not 16",
        ),
        (
            ["--set", "exp_split=[8, 9]"],
            r"exp_split must add up to the 16 bits of a difference, not \(8, 9\)",
        ),
        (
            ["--set", "output=UQ(0, 30)"],
            r"output must have 2 to 24 fraction bits for softmax, not 30",
        ),
        (["--preset", "base", "--config", "x.toml"], r"--preset and --config must not be given"),
        (["--config", "missing.toml"], r"--config must be a readable TOML file, not missing\.toml"),
        (["--nonsense"], r"No such option.*--nonsense"),
    ],
)
def test_a_bad_configuration_is_one_sentence(command, arguments, sentence, tmp_path):
    out = tmp_path / "out"
    assert_refused(call(command, *arguments, "--out", out), sentence)
    assert not out.exists()


def test_a_configuration_that_breaks_monotonicity_is_refused(tmp_path):
    fields = ("exp_split=[8, 8]", "mantissa_bits=18", "exp_bits=19")
    arguments = [part for field in fields for part in ("--set", field)]
    result = call("export", *arguments, "--set", "scale=0.001", "--out", tmp_path / "out")
    if result.exit_code:  # refused with the promise's name, or it keeps the promise
        assert_refused(result, r"exp_bits must keep exp from rising")


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros(5), r"logits must be a 2-D array of real numbers.* not 1-D of float64"),
        (np.zeros((2, 3), complex), r"logits must be a 2-D array of real numbers.*complex128"),
        (np.zeros((2, 3), "U4"), r"logits must be a 2-D array of real numbers.*not 2-D of <U4"),
        (np.zeros((0, 3)), r"logits must have at least one element, not shape \(0, 3\)"),
        (np.array([[1.0, np.nan, 2.0]]), r"must not be NaN before.*row 0, column 1"),
        (np.array([[1.0, 2.0], [0.0, np.inf]]), r"must not be \+inf, as at row 1, column 1"),
        (np.array([[1.0], [np.nan]]), r"must not be an empty row \(all NaN\), as at row 1"),
        (np.zeros((2, 1025)), r"at most max_length = 1024 elements, not 1025 \(row 0\)"),
    ],
)
def test_bad_logits_are_one_sentence(array, sentence, tmp_path):
    np.save(tmp_path / "logits.npy", array)
    assert_refused(
        call(
            "sim", "--preset", "base", "--logits", tmp_path / "logits.npy", "--out", tmp_path / "o"
        ),
        sentence,
    )
    assert not (tmp_path / "o" / "report.json").exists()


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
def test_a_file_that_is_no_array_is_one_sentence(content, tmp_path):
    file = tmp_path / "logits.npy"
    file.write_bytes(content)
    assert_refused(
        call("sim", "--logits", file, "--out", tmp_path / "out"),
        r"--logits must be a readable \.npy file, not .*logits\.npy",
    )


def test_an_archive_of_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "logits.npz", a=np.zeros((2, 2)))
    assert_refused(
        call("sim", "--logits", tmp_path / "logits.npz", "--out", tmp_path / "out"),
        r"--logits must be a \.npy file with one array, not the archive",
    )


def test_a_missing_verilog_file_is_one_sentence(tmp_path):
    result = call("sim", "--verilog", tmp_path / "x.v", "--out", tmp_path / "out")
    assert_refused(result, r"verilog must be a file with its sidecar beside it: no .*x\.v")


def test_a_broken_sidecar_is_one_sentence(tmp_path):
    (tmp_path / "x.v").write_text("module x; endmodule\n")
    (tmp_path / "x.json").write_text('{"top": "x"}')
    result = call("sim", "--verilog", tmp_path / "x.v", "--out", tmp_path / "out")
    assert_refused(result, r"x\.json must be a unit's sidecar: KeyError\('config'\)")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--modified"], r"--modified must be given together with --verilog"),
        (
            ["--verilog", "x.v", "--lanes", "2"],
            r"--verilog must not be given together with options of a",
        ),
        (["--rows", "0"], r"'?0'? is not in the range x>=1"),
    ],
)
def test_options_that_contradict_are_refused(arguments, sentence, tmp_path):
    assert_refused(call("sim", *arguments, "--out", tmp_path / "out"), sentence)


@pytest.mark.parametrize("tool", ["g++", "make", "perl"])
def test_a_missing_tool_is_named(tool, tmp_path, monkeypatch):
    tools = tmp_path / "bin"
    tools.mkdir()
    for other in {"g++", "make", "perl"} - {tool}:
        (tools / other).write_text("#!/bin/sh\n")
        (tools / other).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    result = call("sim", "--preset", "tiny", "--out", tmp_path / "out")
    assert_refused(result, rf"needs {re.escape(tool)}: install the system package")


def test_a_directory_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    result = call("export", "--preset", "tiny", "--out", tmp_path / "file" / "below")
    assert_refused(result, r"out must be a writable directory, not .*below")


def test_own_rows_are_simulated_and_reported(models, tmp_path):
    models.mkdir(parents=True, exist_ok=True)
    out = tmp_path / "out"
    out.mkdir()
    (out / "models").symlink_to(models, target_is_directory=True)
    logits = np.array([[1.0, 2.0, -np.inf, 30.0], [0.5, np.nan, np.nan, np.nan]], np.float32)
    np.save(tmp_path / "logits.npy", logits)
    result = call(
        "sim", "--preset", "tiny", "--logits", tmp_path / "logits.npy",
        "--json", tmp_path / "own.json", "--out", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    (report,) = json.loads((tmp_path / "own.json").read_text())
    assert json.loads((out / "report.json").read_text()) == [report]
    assert (out / "errors.png").read_bytes().startswith(b"\x89PNG")
    assert list(report) == [
        "unit", "preset", "datapath", "rows", "elements", "mismatches", "cycles",
        "elements_per_cycle", "beats_per_cycle", "latency_cycles", "max_error_ulp", "bound_ulp",
        "max_error_unclipped", "clip_rate", "tie_rate", "sum_min", "sum_mean", "mass_error", "bias",
        "bias_ulp", "mass_loss_rate",
        "winner_clip_rate", "winner_tie_rate", "zero_share", "mean_kl", "seconds",
    ]  # fmt: skip
    assert (report["rows"], report["elements"], report["mismatches"]) == (2, 5, 0)
    assert report["clip_rate"] == pytest.approx(1 / 4)


def test_the_verilog_command_says_where_it_wrote(tmp_path):
    result = call("export", "--preset", "int8", "--name", "probs", "--out", tmp_path)
    assert result.exit_code == 0
    assert re.search(r"probs\.v +proven error 0\.\d+ ulp", result.stdout)
    assert sorted(path.name for path in Path(tmp_path).iterdir()) == ["probs.json", "probs.v"]


@pytest.fixture
def short_rows(monkeypatch):
    """The Jacobian of short rows only."""
    monkeypatch.setattr(jacobian_cost, "LENGTHS", (16, 64))


@pytest.mark.usefixtures("short_rows")
def test_the_reference_command_names_every_device_and_bound(tmp_path):
    file = tmp_path / "own" / "references.json"
    result = call("reference", "--preset", "tiny", "--rows", 20, "--json", file)
    assert result.exit_code == 0, result.output
    for name in ("NumPy float64", "torch float16 on CPU", "torch float32 on CUDA"):
        assert name in result.output
    bounds = re.findall(r"proven bound against (.*): (.*) ulp", result.output)
    assert bounds == [
        ("the exact softmax of the codes", "0.887"),
        ("the exact P (dP - sum P dP) of the codes", "0.750"),
        ("the exact cross-entropy of the codes", "0.640"),
        ("that of the exact cross-entropy of the codes", "0.887"),
        ("the exact cross-entropy of the codes of a row", "0.640"),
        ("that of the exact cross-entropy of the codes of a row", "0.887"),
    ]
    document = json.loads(file.read_text())
    numpy = [field for field in document["comparisons"] if field["reference"] == "NumPy float64"]
    assert [(field["unit"], field["output"]) for field in numpy] == [
        ("softmax tiny max_subtract", "P"),
        ("softmax_backward tiny max_subtract", "dS"),
        ("cross_entropy tiny max_subtract", "loss"),
        ("cross_entropy tiny max_subtract", "gradient"),
        ("adaptive_softmax tiny max_subtract", "a level's loss"),
        ("adaptive_softmax tiny max_subtract", "gradient"),
    ]
    assert all(0 < field["of_codes"]["max_ulp"] <= field["bound_ulp"] for field in numpy)
    assert {len(document["comparisons"])} == {6 * len(REFERENCES)}
    for device in jacobian_cost.DEVICES:
        measured = [
            cost["length"] for cost in document["jacobian"] if cost["reference"] == device.name
        ]
        assert measured == ([] if device.absence else [16, 64])
        shown = device.absence or "softmax's gradient of a row by the Jacobian, and as P (dP - D)"
        assert f"{device.name}: {shown}" in result.output


@pytest.fixture
def own_rows(tmp_path, short_rows):
    """Arguments of a quick call: two rows of one's own."""
    np.save(tmp_path / "logits.npy", [[0.0, 1.0], [2.0, np.nan]])
    np.save(tmp_path / "targets.npy", [1, 0])
    return "--preset", "tiny", "--logits", tmp_path / "logits.npy"


def test_the_reference_command_takes_rows_of_one_s_own(own_rows, tmp_path):
    alone = call("reference", *own_rows)
    targets = call("reference", *own_rows, "--targets", tmp_path / "targets.npy")
    assert (alone.exit_code, targets.exit_code) == (0, 0), alone.output + targets.output
    assert "softmax tiny max_subtract: comparing 3 elements" in alone.output
    assert "cross_entropy" not in alone.output
    assert "cross_entropy tiny max_subtract: comparing 3 elements" in targets.output


def test_the_reference_command_shows_a_unit_once_that_does_not_know_the_datapath(
    own_rows, tmp_path
):
    np.save(tmp_path / "gradients.npy", np.full((2, 2), 0.5))
    both = ("--datapath", "max_subtract", "--datapath", "exact_sum")
    result = call(
        "reference", *own_rows, *both, "--gradients", tmp_path / "gradients.npy"
    )  # fmt: skip
    assert re.findall("(.*): comparing", result.output) == [
        "softmax tiny max_subtract", "softmax tiny exact_sum", "softmax_backward tiny max_subtract"
    ]  # fmt: skip


def test_the_reference_command_fails_where_a_bound_is_exceeded(own_rows, monkeypatch):
    monkeypatch.setattr(references, "bound_ulp", lambda config: 0.0625)
    result = call("reference", *own_rows)
    assert result.exit_code == 1, result.output
    assert result.output.count("EXCEEDED") == 1
    assert "the exact softmax of the codes: 0.062 ulp: EXCEEDED" in result.output


def test_the_reference_command_fails_where_the_jacobian_gives_another_gradient(
    own_rows, monkeypatch
):
    pytest.importorskip("torch", reason="torch is not installed")
    monkeypatch.setattr(jacobian_cost, "by_jacobian", lambda p, dp: p * dp)
    result = call("reference", *own_rows)
    assert result.exit_code == 1, result.output
    assert "EXCEEDED" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "bse"], r"unknown preset 'bse'; presets are"),
        (
            ["--set", "function=log_softmax", "--set", "output=SQ(6, 10)"],
            r"function must be softmax to be held against float softmax, not log_softmax",
        ),
        (["--json", "/dev/null/x.json"], r"--json must be a writable file, not /dev/null/x"),
    ],
)
def test_what_the_reference_command_cannot_do_is_one_sentence(arguments, sentence, own_rows):
    assert_refused(call("reference", *own_rows, *arguments), sentence)


def test_the_reference_command_takes_targets_with_logits_only():
    sentence = r"--targets must be given together with --logits, not alone"
    assert_refused(call("reference", "--targets", "t.npy"), sentence)
