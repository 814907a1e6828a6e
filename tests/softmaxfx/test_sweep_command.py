"""``softmaxfx sweep``: results that are kept, a report, a search, and refusals in one sentence."""

import csv
import json
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx import options
from softmaxfx.cli import main
from softmaxfx.golden import SQ, SoftmaxConfig, bound_ulp, preset
from softmaxfx.golden.measures.metrics import measure
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.softmax import softmax_rows

SPACE = """
sources = ["digits"]
elements = 2000

[base]
preset = "tiny"

[[grid]]
name = "formats"
[grid.axes]
input = ["SQ(5, 3)", "SQ(5, 7)"]
output = ["UQ(0, 6)", "UQ(0, 8)", "UQ(0, 30)"]
"""


def call(*arguments: object):
    return CliRunner().invoke(main, ["sweep", *map(str, arguments)])


def assert_refused(result, sentence: str) -> None:
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.output


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("space") / "small.toml"
    file.write_text(SPACE)
    return file


@pytest.fixture(scope="module")
def swept(space, tmp_path_factory) -> tuple[Path, str]:
    """(directory, what was printed) of a sweep of a small space."""
    out = tmp_path_factory.mktemp("sweep")
    done = call("--space", space, "--out", out, "--workers", 1)
    assert done.exit_code == 0, done.output
    return out, done.output


def test_a_sweep_writes_its_report(swept):
    out, printed = swept
    assert "15 done, 2 infeasible" in printed  # 4 configurations and 11 float formats
    page = (out / "report.html").read_text()
    assert "UQ(0, 30)" in page
    assert "output must have 2 to 24 fraction bits" in page
    for name in ("report.md", "results.csv", "versions.json", "precision.md"):
        assert (out / name).stat().st_size > 0
    assert len(json.loads((out / "versions.json").read_text())["seconds"]) == 15


def test_a_sweep_that_is_repeated_evaluates_nothing_and_writes_the_same(swept, space, tmp_path):
    out, _ = swept
    shutil.copy(out / "cache.sqlite", tmp_path)
    again = call("--space", space, "--out", tmp_path, "--workers", 1)
    assert again.exit_code == 0
    assert "17 results wanted, 17 of them known" in again.output.replace("\n", " ")
    assert (tmp_path / "results.csv").read_bytes() == (out / "results.csv").read_bytes()


def test_the_report_of_what_there_is_can_be_written_anew(swept, space, tmp_path):
    out, _ = swept
    shutil.copy(out / "cache.sqlite", tmp_path)
    words = tmp_path / "docs" / "precision.md"
    result = call("--space", space, "--out", tmp_path, "report", "--precision", words)
    assert result.exit_code == 0, result.output
    assert words.read_text() == (tmp_path / "precision.md").read_text()
    assert (tmp_path / "results.csv").read_bytes() == (out / "results.csv").read_bytes()


def test_your_own_rows_give_goldens_figures(tmp_path):
    """What the table says of a configuration is what the golden model's metrics say."""
    logits = np.random.default_rng(3).normal(0, 3, (40, 12))
    np.save(tmp_path / "mine.npy", logits)
    (tmp_path / "one.toml").write_text(
        '[base]\npreset = "tiny"\n[[grid]]\nname = "one"\naxes = { input = ["SQ(5, 6)"] }\n'
    )
    done = call(
        "--space", tmp_path / "one.toml", "--logits", tmp_path / "mine.npy", "--workers", 1,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    config: SoftmaxConfig = preset("tiny", input=SQ(5, 6))
    rows = LogitRows.from_array(logits)
    expected = measure(softmax_rows(rows.codes(config), config, ~rows.active), rows, config)
    text = (tmp_path / "out" / "results.csv").read_text().splitlines()
    heading = text[0].split(",")
    (line,) = (line for line in text[1:] if ",point," in f",{line}")
    figures = dict(zip(heading, next(csv.reader([line])), strict=True))
    assert float(figures["max_error_ulp"]) == pytest.approx(expected.max_error_ulp, rel=1e-9)
    assert float(figures["kl"]) == pytest.approx(expected.mean_kl, rel=1e-6)
    assert float(figures["bound_ulp"]) == pytest.approx(bound_ulp(config), rel=1e-9)
    assert figures["source"] == "mine"


def test_a_search_ends_with_a_configuration_and_its_command(swept, space, tmp_path):
    shutil.copy(swept[0] / "cache.sqlite", tmp_path)
    found = call(
        "--space", space, "--out", tmp_path, "--workers", 1, "--goal", "max_error_ulp <= 1",
        "--minimize", "bits",
    )  # fmt: skip
    assert found.exit_code == 0, found.output
    assert "softmaxfx export" in found.output
    assert 'output = "UQ(0, 6)"' in (tmp_path / "best.toml").read_text()
    config = SoftmaxConfig.from_dict(tomllib.loads((tmp_path / "best.toml").read_text()))
    assert (config.input.f, config.output.f) == (3, 6)


def test_a_goal_that_nothing_meets_is_told(swept, space, tmp_path):
    shutil.copy(swept[0] / "cache.sqlite", tmp_path)
    found = call(
        "--space", space, "--out", tmp_path, "--workers", 1, "--goal", "max_error_ulp <= 0.01",
        "--minimize", "bits",
    )  # fmt: skip
    assert found.exit_code == 1
    assert "none of 4 configurations meets max_error_ulp <= 0.01" in found.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--space", "nowhere.toml"], r"space must be a readable TOML file, not nowhere\.toml"),
        (["--goal", "kl <= 1"], r"--goal and --minimize must be given together"),
        (["--goal", "speed <= 1", "--minimize", "bits"], r"speed"),
        (["--goal", "kl <= 1", "--minimize", "beauty"], r"beauty"),
        (["--cache", "/proc/none/cache.sqlite"], r"cache .*none.* is read-only|cache .*none"),
        (["--targets", "t.npy"], r"--targets and --gradients must be given together with --logits"),
        (["--logits", "missing.npy"], r"missing\.npy"),
        (["--cluster", "missing.toml"], r"cluster must be a readable TOML file, not missing\.toml"),
        (["report"], r"cache must exist, unlike .*cache\.sqlite: run the command first"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence, space, tmp_path):
    given = [] if "--space" in arguments else ["--space", space]
    assert_refused(call(*given, "--out", tmp_path / "out", *arguments), sentence)


def test_a_cache_of_another_version_is_refused_and_stays_as_it_is(swept, space, tmp_path):
    file = shutil.copy(swept[0] / "cache.sqlite", tmp_path)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = Path(file).read_bytes()
    refused = call("--space", space, "--out", tmp_path)
    assert_refused(
        refused, r"a results cache of version 1, and .*cache\.sqlite is of version 99; ch"
    )
    assert Path(file).read_bytes() == before


def test_on_a_full_disk_what_was_known_stays(swept, space, tmp_path):
    """No file may grow beyond what the cache and its log have by now."""
    shutil.copy(swept[0] / "cache.sqlite", tmp_path)
    (tmp_path / "more.toml").write_text(SPACE.replace("UQ(0, 6)", "UQ(0, 10)"))
    limit = (tmp_path / "cache.sqlite").stat().st_size
    command = [sys.executable, "-m", "softmaxfx", "sweep", "--workers", "1", "--out", tmp_path]
    full = subprocess.run(
        [*command, "--space", tmp_path / "more.toml"], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert full.returncode == 2, full.stdout
    assert re.fullmatch(r"softmaxfx: cache .*cache\.sqlite cannot be used: .*\n", full.stderr)
    again = call("--space", space, "--out", tmp_path, "--workers", 1)
    assert again.exit_code == 0
    assert "17 results wanted, 17 of them known" in again.output.replace("\n", " ")


@pytest.mark.parametrize(
    ("array", "goal", "sentence"),
    [
        (np.zeros((3, 65)), None, r"max_length"),
        (np.full((3, 4), -np.inf), None, r"masked"),
        (np.zeros((3, 4)), "ece <= 1", r"ece"),
    ],
    ids=["rows too long", "all masked", "a goal of what no row has"],
)
def test_rules_of_rows_are_told_before_the_work(array, goal, sentence, space, tmp_path):
    np.save(tmp_path / "logits.npy", array)
    more = ["--goal", goal, "--minimize", "bits"] if goal else []
    out = tmp_path / "out"
    result = call("--space", space, "--logits", tmp_path / "logits.npy", "--out", out, *more)
    assert_refused(result, sentence)
    assert not out.exists()


def test_a_missing_library_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "optuna" else object())
    assert_refused(
        call("--out", tmp_path), r"sweep needs optuna: pip install 'softmaxfx\[sweep,synth\]'"
    )
