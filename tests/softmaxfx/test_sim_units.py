"""The command that simulates the units: what it runs, what it tells, and what it refuses."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx import clusters, simulations
from softmaxfx.cli import main
from softmaxfx.fpga.export import export
from softmaxfx.golden import ConfigError, preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.jobs import Chosen
from softmaxfx.outcomes import Outcome
from softmaxfx.sim.cross_entropy import TargetRows
from softmaxfx.simulations import Task, rows_sha256

from ..sim.planting import plant

UNITS = "softmax", "softmax_backward", "cross_entropy", "adaptive_softmax"
SMALL = "--preset", "tiny", "--lanes", "2", "--max-length", "16"
COMMON = {
    "unit", "preset", "datapath", "rows", "elements", "mismatches", "cycles", "elements_per_cycle",
    "beats_per_cycle", "latency_cycles", "max_error_ulp", "bound_ulp", "max_error_unclipped",
    "clip_rate", "zero_share", "seconds",
}  # fmt: skip
OWN = {
    "softmax": {
        "tie_rate", "sum_min", "sum_mean", "mass_error", "bias", "bias_ulp", "mean_kl",
        "mass_loss_rate", "winner_clip_rate",
        "winner_tie_rate",
    },
    "softmax_backward": {"saturated_share"},
    "cross_entropy": {
        "loss_max_error_ulp", "loss_bound_ulp", "loss_max_error_unclipped", "ignored_rows",
        "masked_targets", "mean_loss",
    },
}  # fmt: skip
OWN["adaptive_softmax"] = OWN["cross_entropy"]
LOGITS = np.array(
    [
        [1.0, 2.0, -np.inf, 30.0, 0.5],
        [0.5, np.nan, np.nan, np.nan, np.nan],
        [0.0, 0.0, 0.0, 0.0, np.nan],
        [9.0, -9.0, -9.0, np.nan, np.nan],
    ]
)
"""Rows of 5, 1, 4 and 3 elements, one of them masked."""
GRADIENTS = np.where(np.isnan(LOGITS), np.nan, np.linspace(-0.5, 0.5, 20).reshape(4, 5))
TARGETS = np.array([0, 0, 4, 0])
"""Of the third row, one beyond its end."""


def call(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def assert_refused(result, sentence: str, out: Path) -> None:
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output
    assert not (out / "report.json").exists()


@pytest.fixture
def out(models, tmp_path) -> Path:
    """A directory of output whose models are those of other tests."""
    models.mkdir(parents=True, exist_ok=True)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "models").symlink_to(models, target_is_directory=True)
    return folder


@pytest.fixture
def own(tmp_path) -> dict[str, Path]:
    """Files of logits, gradients and targets that go together, by their options."""
    files = {"--logits": LOGITS, "--gradients": GRADIENTS, "--targets": TARGETS}
    for option, array in files.items():
        np.save(tmp_path / f"{option[2:]}.npy", array)
    return {option: tmp_path / f"{option[2:]}.npy" for option in files}


def options(files: dict[str, Path], *names: str) -> list[object]:
    return [part for name in names for part in (name, files[name])]


def reports(out: Path) -> dict[str, dict]:
    """What was told of every unit."""
    written = json.loads((out / "report.json").read_text())
    assert (out / "errors.png").read_bytes().startswith(b"\x89PNG")
    for report in written:
        assert report.keys() == COMMON | OWN[report["unit"]]
        assert report["mismatches"] == 0
        assert 0 < report["max_error_ulp"] <= report["bound_ulp"]
        assert report["cycles"] > 0
        assert report["latency_cycles"] > 10
    return {report["unit"]: report for report in written}


# What is simulated


def test_without_a_unit_all_run_on_recorded_rows(out, tmp_path):
    result = call("sim", *SMALL, "--rows", 50, "--json", tmp_path / "more.json", "--out", out)
    assert result.exit_code == 0, result.output
    by_unit = reports(out)
    assert tuple(by_unit) == UNITS
    assert json.loads((tmp_path / "more.json").read_text()) == [*by_unit.values()]
    for unit, report in by_unit.items():
        assert f"{unit}: golden model against Verilog" in result.output
        assert (report["preset"], report["rows"]) == ("tiny", 50)
        most = 50 * 17  # a row's loss counts as an element
        if unit == "adaptive_softmax":
            most = 50 * (2 * 17 + 1)  # and a request
        assert 50 <= report["elements"] <= most
        assert report["elements_per_cycle"] > 1
    assert [by_unit[unit]["datapath"] for unit in UNITS] == [
        "max_subtract", None, "max_subtract", "max_subtract",
    ]  # fmt: skip
    loss = by_unit["cross_entropy"]
    assert 0 < loss["loss_max_error_ulp"] <= loss["loss_bound_ulp"]
    assert (loss["ignored_rows"], loss["masked_targets"]) == (0, 0)
    assert 0 < loss["mean_loss"] < 10
    assert 0 < by_unit["softmax"]["sum_mean"] < 1.01
    notes = " ".join(result.output.split())
    assert "3,116 of 5,105 recorded rows are longer than max_length = 16 and are left out" in notes
    assert "note: the recorded dP are scaled by 2^" in notes


@pytest.mark.parametrize("unit", UNITS[1:])
def test_a_unit_alone_runs_on_recorded_rows(unit, out):
    result = call("sim", unit, *SMALL, "--rows", 20, "--seed", 3, "--out", out)
    assert result.exit_code == 0, result.output
    by_unit = reports(out)
    assert tuple(by_unit) == (unit,)
    assert by_unit[unit]["rows"] == 20


@pytest.mark.long
def test_both_datapaths_are_one_backward_unit_and_two_of_the_others(out):
    datapaths = "--datapath", "max_subtract", "--datapath", "exact_sum"
    result = call("sim", *SMALL, *datapaths, "--rows", 10, "--out", out)
    assert result.exit_code == 0, result.output
    written = json.loads((out / "report.json").read_text())
    assert [(report["unit"], report["datapath"]) for report in written] == [
        ("softmax", "max_subtract"),
        ("softmax", "exact_sum"),
        ("softmax_backward", None),
        ("cross_entropy", "max_subtract"),
        ("cross_entropy", "exact_sum"),
        ("adaptive_softmax", "max_subtract"),
        ("adaptive_softmax", "exact_sum"),
    ]


@pytest.mark.parametrize(
    ("given", "units"),
    [
        (["--logits"], ["softmax"]),
        (["--logits", "--targets"], ["softmax", "cross_entropy"]),
        (["--logits", "--gradients", "--targets"], [*UNITS[:3]]),
    ],
    ids=lambda value: " ".join(value),
)
def test_own_rows_are_those_of_the_units_that_there_are_files_for(given, units, own, out):
    result = call("sim", *SMALL, *options(own, *given), "--out", out)
    assert result.exit_code == 0, result.output
    by_unit = reports(out)
    assert [*by_unit] == units
    for unit, report in by_unit.items():
        assert report["rows"] == 4
        # of the unit that has losses too, one a row
        assert report["elements"] == 13 + 4 * (unit == "cross_entropy")
        assert report["clip_rate"] == pytest.approx(1 / 12)
    if "cross_entropy" in by_unit:
        loss = by_unit["cross_entropy"]
        assert (loss["ignored_rows"], loss["masked_targets"]) == (1, 0)
        sums = [np.log(np.exp([1.0, 2.0, 10.0, 0.5]).sum()) - 1, 0, 2 * np.exp(-18)]
        assert loss["mean_loss"] == pytest.approx(np.mean(sums), abs=1e-3)


def test_a_masked_target_is_told(own, out):
    np.save(own["--targets"], np.array([2, 0, 3, 2], np.uint8))
    files = options(own, "--logits", "--targets")
    result = call("sim", "cross_entropy", *SMALL, *files, "--out", out)
    assert result.exit_code == 0, result.output
    report = reports(out)["cross_entropy"]
    assert (report["ignored_rows"], report["masked_targets"]) == (0, 1)


def test_whole_gradients_and_those_beyond_the_format_saturate(own, out):
    np.save(own["--gradients"], np.full(LOGITS.shape, 3))
    files = options(own, "--logits", "--gradients")
    result = call("sim", "softmax_backward", *SMALL, *files, "--out", out)
    assert result.exit_code == 0, result.output
    report = reports(out)["softmax_backward"]
    assert report["elements"] == 13
    # all the same, they cancel but for the roundings
    assert report["zero_share"] > 0.5


NOTHING_TO_DRAW = {
    "all masked": ("softmax", np.full((2, 3), -np.inf), None),
    "no target": ("cross_entropy", LOGITS, np.full(4, 70)),
}
"""(unit, logits, targets): no element has an error."""

ALIKE = {
    "one element": ("softmax", np.zeros((1, 1)), None),
    "one error": ("softmax", np.zeros((3, 4)), None),
    "one row has a target": ("cross_entropy", LOGITS, np.array([70, 70, 70, 0])),
    "a masked row beside others": ("softmax", np.array([[-np.inf, -np.inf], [1.0, 2.0]]), None),
}
"""Elements whose errors are few, or all the same."""


@pytest.mark.parametrize(
    ("unit", "logits", "targets"), [*NOTHING_TO_DRAW.values(), *ALIKE.values()],
    ids=[*NOTHING_TO_DRAW, *ALIKE],
)  # fmt: skip
def test_a_picture_shows_what_there_is(unit, logits, targets, out, tmp_path):
    np.save(tmp_path / "l.npy", logits)
    files: list[object] = ["--logits", tmp_path / "l.npy"]
    if targets is not None:
        np.save(tmp_path / "t.npy", targets)
        files += ["--targets", tmp_path / "t.npy"]
    result = call("sim", unit, *SMALL, *files, "--out", out)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    (report,) = json.loads((out / "report.json").read_text(), parse_constant=pytest.fail)
    assert report["mismatches"] == 0
    assert (out / "errors.png").read_bytes().startswith(b"\x89PNG")
    assert "nan" not in result.output


def test_what_was_well_is_not_run_again_and_needs_no_worker(out, monkeypatch):
    call("sim", *SMALL, "--rows", 20, "--out", out)
    first, pictures = reports(out), (out / "errors.png").read_bytes()
    shutil.rmtree(out / "verilog")
    monkeypatch.setattr(clusters, "local", pytest.fail)
    again = call("sim", *SMALL, "--rows", 20, "--out", out)
    assert again.exit_code == 0, again.output
    assert f"4 results wanted, 4 of them known to {out / 'cache.sqlite'}" in again.output
    assert (reports(out), (out / "errors.png").read_bytes()) == (first, pictures)
    assert len(list((out / "verilog").glob("*.v"))) == 4


def test_one_unit_alone_needs_no_worker(out, monkeypatch):
    monkeypatch.setattr(clusters, "local", pytest.fail)
    result = call("sim", "softmax", *SMALL, "--rows", 20, "--out", out)
    assert result.exit_code == 0, result.output
    assert "softmax tiny max_subtract: building the Verilator model\n" in result.output
    assert not (out / "cache.sqlite").exists()


def test_what_was_not_well_is_told_and_not_kept():
    task = Task(Chosen("softmax", "tiny", preset("tiny")), "generic", "0" * 64, 10, 1)
    well = {"failures": []}
    assert simulations._is_well(task, Outcome("done", well))
    assert not simulations._is_well(task, Outcome("done", {"failures": ["MISMATCH"]}))
    with pytest.raises(ConfigError, match=r"^softmax tiny max_subtract: no g\+\+$"):
        simulations._is_well(task, Outcome("failed", reason="no g++"))


def test_a_simulation_is_another_with_other_rows_seed_or_configuration():
    def rows(array):
        return rows_sha256(TargetRows(LogitRows.from_array(array), TARGETS))

    task = Task(Chosen("softmax", "tiny", preset("tiny")), "generic", rows(LOGITS), 10, 1)
    others = [
        replace(task, chosen=task.chosen._replace(config=preset("tiny", lanes=2))),
        replace(task, target="ecp5"),
        replace(task, seed=2),
        replace(task, rows=rows(LOGITS + 1)),
        replace(task, rows=rows(np.where(LOGITS == 9, -np.inf, LOGITS))),
    ]
    assert len({one.key for one in (task, *others)}) == 6
    assert replace(task, rows=rows(LOGITS.copy())).key == task.key


def test_two_at_once_in_one_folder_do_not_meet(out):
    """The default folder is everybody's."""
    arguments = [*SMALL, "--rows", "300", "--out", out]
    commands = [[sys.executable, "-m", "softmaxfx", "sim", *unit, *arguments] for unit in ([], [])]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert (process.returncode, errors) == (0, "")
    assert tuple(reports(out)) == UNITS
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []


def test_what_is_lost_of_the_rows_is_told_with_figures(out, tmp_path):
    np.save(tmp_path / "far.npy", np.array([[30.0, 20.0, 0.0], [1.0, 0.0, 0.0]]))
    result = call("sim", "softmax", *SMALL, "--logits", tmp_path / "far.npy", "--out", out)
    assert result.exit_code == 0, result.output
    note = r"note: softmax tiny max_subtract: 50 % of 2 rows have a maximum beyond range = 10: .*50"
    assert re.search(note, result.stdout)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--waves", "--cluster", "tcp://127.0.0.1:9"], r"--waves must not be given together with"),
        (["--verilog", "x.v", "--workers", "2"], r"--verilog must not be given together with opt"),
    ],
)
def test_workers_that_could_not_be_heeded_are_refused(options, sentence, out):
    assert_refused(call("sim", *options, "--rows", 20, "--out", out), sentence, out)


# What is refused


SHAPES = {
    "gradients of fewer rows": ("--gradients", GRADIENTS[:3], r"of the shape \(4, 5\).* of \(3, 5"),
    "gradients of shorter rows": ("--gradients", GRADIENTS[:, :4], r"shape \(4, 5\).* of \(4, 4\)"),
    "gradients in one row": ("--gradients", GRADIENTS.ravel(), r"of the shape \(4, 5\).* of \(20,"),
    "complex gradients": ("--gradients", GRADIENTS + 0j, r"must be real numbers.* not complex128"),
    "flags as gradients": ("--gradients", GRADIENTS > 0, r"must be real numbers.* not bool"),
    "names as gradients": ("--gradients", GRADIENTS.astype(str), r"must be real numbers.* not <U"),
    "a NaN in a row": (
        "--gradients", np.where(LOGITS == 30, np.nan, GRADIENTS),
        r"gradients must be finite, unlike row 0, column 3",
    ),
    "an infinite gradient": (
        "--gradients", np.where(LOGITS == -9, np.inf, GRADIENTS),
        r"gradients must be finite, unlike row 3, column 1",
    ),
    "targets of fewer rows": ("--targets", TARGETS[:3], r"each of the 4 rows, not int64 of \(3,\)"),
    "a target of every element": ("--targets", np.zeros((4, 5), int), r"4 rows, not .* of \(4, 5"),
    "broken targets": ("--targets", TARGETS.astype(float), r"must be whole numbers.* not float64"),
    "flags as targets": ("--targets", TARGETS > 0, r"must be whole numbers.* not bool"),
    "a target beyond its port": (
        "--targets", np.array([0, 1 << 32, 0, 0]), r"from 0 to 4294967295, not 4294967296 \(row 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("option", "array", "sentence"), SHAPES.values(), ids=SHAPES)
def test_arrays_that_do_not_go_with_the_logits_are_one_sentence(option, array, sentence, own, out):
    np.save(own[option], array)
    unit = {"--gradients": "softmax_backward", "--targets": "cross_entropy"}[option]
    result = call("sim", unit, *SMALL, *options(own, "--logits", option), "--out", out)
    assert_refused(result, sentence, out)


@pytest.mark.parametrize(
    ("unit", "given", "sentence"),
    [
        ([], ["--gradients"], r"--gradients must be given together with --logits, not alone"),
        ([], ["--targets"], r"--targets must be given together with --logits, not alone"),
        (["softmax"], ["--targets"], r"--targets must be given together with --logits, not alone"),
        (["softmax_backward"], ["--logits"], r"--gradients must be given for this unit"),
        (["softmax_backward"], ["--logits", "--targets"], r"--gradients must be given for this un"),
        (["cross_entropy"], ["--logits"], r"--targets must be given for this unit"),
        (["cross_entropy"], ["--logits", "--gradients"], r"--targets must be given for this unit"),
    ],
    ids=str,
)
def test_files_that_do_not_go_together_are_one_sentence(unit, given, sentence, own, out):
    assert_refused(call("sim", *unit, *SMALL, *options(own, *given), "--out", out), sentence, out)


@pytest.mark.parametrize("option", ["--gradients", "--targets"])
@pytest.mark.parametrize("content", [None, b"", b"not an array"], ids=["missing", "empty", "text"])
def test_a_file_that_is_no_array_is_one_sentence(option, content, own, out):
    unit = {"--gradients": "softmax_backward", "--targets": "cross_entropy"}[option]
    own[option].unlink()
    if content is not None:
        own[option].write_bytes(content)
    result = call("sim", unit, *SMALL, *options(own, "--logits", option), "--out", out)
    assert_refused(result, rf"{option} must be a readable \.npy file, not .*{option[2:]}\.npy", out)


def test_a_unit_that_there_is_none_of_is_one_sentence(out):
    sentence = r"unknown unit 'backward'; units are softmax, softmax_backward, cross_entropy"
    assert_refused(call("sim", "backward", *SMALL, "--out", out), sentence, out)


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_beside_a_file_of_verilog_is_one_sentence(unit, out):
    result = call("sim", unit, "--verilog", "x.v", "--out", out)
    sentence = rf"--verilog must not be given together with a unit, '{unit}'"
    assert_refused(result, sentence, out)


@pytest.mark.parametrize("unit", UNITS[1:])
def test_a_logarithm_has_no_such_unit(unit, out):
    fields = "--set", "function=log_softmax", "--set", "output=SQ(6, 10)"
    command = [sys.executable, "-m", "softmaxfx", "sim", unit, *SMALL, *fields, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 2 or f"softmax for {unit}, not log_softmax\n" not in done.stderr:
        pytest.fail(f"it is not refused: {done}")
    assert done.stderr == (f"softmaxfx: function must be softmax for {unit}, not log_softmax\n")


# What is found


DATA = {"softmax_backward": "m_axis_tdata", "cross_entropy": "m_axis_loss_tdata"}
"""An output of each unit, the lowest bit of which is inverted."""


@pytest.mark.parametrize("unit", DATA)
def test_a_mismatch_is_told_with_exit_status_1(unit, own, out, tmp_path):
    config = preset("tiny", lanes=2, max_length=16)
    made = export(config, tmp_path / "verilog", unit=unit, preset="tiny", name="changed")
    plant(made.verilog, "changed", lambda verilog: verilog.see("", DATA[unit], "{} ^ 1"))
    needs = {"softmax_backward": "--gradients", "cross_entropy": "--targets"}[unit]
    files = options(own, "--logits", needs)
    arguments = ["sim", "--verilog", made.verilog, *files, "--out", out]
    assert_refused(call(*arguments), r"must have the SHA-256 its sidecar names; it was", out)
    result = call(*arguments, "--modified")
    assert result.exit_code == 1, result.output
    (report,) = json.loads((out / "report.json").read_text())
    assert report["unit"] == unit
    assert report["mismatches"] >= 4  # one of a row at least
    place = r"MISMATCH .*changed\.v: .*row 0, beat 0, lane 0: gold -?\d+, gate -?\d+"
    assert re.search(place, result.output)


def test_words_and_the_rows_that_they_ask_for_are_one_s_own(out, tmp_path):
    logits, words = tmp_path / "logits.npy", tmp_path / "words.npy"
    np.save(logits, np.random.default_rng(1).normal(0, 2, (3, 16)))
    np.save(words, [3, -1, 40])  # of the head, of none, of the second tail
    files = "--logits", logits, "--words", words
    result = call("sim", "adaptive_softmax", *SMALL, *files, "--out", out)
    assert result.exit_code == 0, result.output
    report = reports(out)["adaptive_softmax"]
    assert (report["rows"], report["ignored_rows"]) == (3, 1)
    assert report["elements"] == 3 * 16 + 3 + 3  # and requests, and losses


@pytest.mark.parametrize("unit", UNITS[1:3])
def test_a_file_of_verilog_is_simulated_as_the_unit_that_it_is(unit, own, out, tmp_path):
    made = export(preset("tiny", lanes=2, max_length=16), tmp_path, unit=unit, preset="tiny")
    files = options(own, "--logits", "--gradients", "--targets")
    result = call("sim", "--verilog", made.verilog, *files, "--out", out)
    assert result.exit_code == 0, result.output
    assert tuple(reports(out)) == (unit,)
