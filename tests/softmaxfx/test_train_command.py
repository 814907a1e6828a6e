"""``softmaxfx train``: a table, a JSON file and a document, and a status that says what was found.

Trainings are made up here; tests/study has real ones.
"""

import json
import re

import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from softmaxfx import engine, options
from softmaxfx.cli import main
from softmaxfx.outcomes import outcome_of
from softmaxfx.study.paired_networks import Digits, Language, Trained

LOST = {"float32": 0.0, "float64 loss": 0.0, "base exact_sum": 0.0, "int8 exact_sum": 40.0}
"""Points that a softmax loses; others lose one."""


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


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """Trainings that were run: (network, optimiser, softmax, seed)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "Engine", Here)
    asked = []

    def train(network, optimiser, softmax, seed):
        asked.append((network.name, optimiser, softmax.name, seed))
        lost = LOST.get(softmax.name, 1.0)
        return Trained(90.0 + seed - lost if network.measure.rises else 5 + lost, 0.125)

    monkeypatch.setattr(Digits, "train", train)
    monkeypatch.setattr(Language, "train", train)
    return asked


def call(*arguments: object):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def test_every_pair_is_in_the_json(trained, tmp_path):
    done = call("--network", "digits", "--seeds", "3", "--json", "x.json")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "x.json").read_text())
    assert told["confidence"] == 0.95
    assert {"processor", "torch", "python"} <= told.keys()
    found = {(each["optimiser"], each["softmax"]): each for each in told["pairs"]}
    assert found.keys() == {
        (optimiser, softmax)
        for optimiser in ("Adam", "SGD")
        for softmax in (
            "float64 loss", "base exact_sum", "int8 exact_sum", "int8_row exact_sum",
        )
    }  # fmt: skip
    int8 = found["SGD", "int8 exact_sum"]
    assert int8["seeds"] == [1, 2, 3]
    assert int8["float32"] == [91.0, 92.0, 93.0]
    assert int8["by_softmax"] == [51.0, 52.0, 53.0]
    assert int8["differences"] == [-40.0] * 3
    assert int8["mean"] == int8["worst"] == -40.0
    assert int8["interval"] == [-40.0, -40.0]
    assert (int8["clipped"], int8["worst_seed"], int8["kept"]) == (0.125, 1, None)
    assert found["Adam", "base exact_sum"]["kept"] is True


def test_both_networks_are_trained_as_often_as_the_help_says(trained):
    assert call().exit_code == 0
    assert len(trained) == len(set(trained)) == 10 * 2 * 5 + 3 * 5
    assert "Train from seeds 1 to N. [default: 10 of digits, 3 of language]" in " ".join(
        call("--help").output.split()
    )


def test_what_was_trained_is_not_trained_again(trained):
    first = call("--network", "language", "--out", "kept")
    count = len(trained)
    second = call("--network", "language", "--out", "kept")
    assert second.output == first.output
    assert len(trained) == count == 15


def test_a_base_that_is_worse_is_told_by_the_status(trained, monkeypatch):
    monkeypatch.setitem(LOST, "base exact_sum", 2.0)
    found = call("--network", "digits", "--write", "docs/training.md")
    assert found.exit_code == 1
    assert "-2.000 points" in found.output


@pytest.mark.parametrize("arguments", [["--preset", "int8"], ["--set", "output=UQ(0, 8)"]])
def test_nothing_is_asked_of_others(arguments, trained, monkeypatch):
    monkeypatch.setitem(LOST, "int8 max_subtract", 40.0)
    monkeypatch.setitem(LOST, "base exact_sum", 40.0)
    assert call("--network", "digits", *arguments).exit_code == 0


def test_both_datapaths_can_be_named(trained):
    both = ("--datapath", "exact_sum", "--datapath", "max_subtract")
    done = call("--network", "language", "--preset", "base", *both)
    assert done.exit_code in (0, 1), done.output
    names = {name for _, _, name, _ in trained}
    assert names == {"float32", "float64 loss", "base exact_sum", "base max_subtract"}


def test_the_document_lies_beside_its_picture(trained, tmp_path):
    done = call("--write", "docs/training.md")
    assert done.exit_code == 0, done.output
    text = (tmp_path / "docs/training.md").read_text()
    assert "![The difference of every seed](training.svg)" in text
    assert len(re.findall(r"^\| (Adam|SGD) \|", text, re.MULTILINE)) == 12
    assert (tmp_path / "docs/training.svg").read_text().startswith("<?xml")
    assert done.output.endswith("document: docs/training.md   picture: docs/training.svg\n")


def test_a_training_that_fails_is_one_sentence(trained, monkeypatch):
    def train(*_):
        raise ValueError("loss must hold the largest loss")

    monkeypatch.setattr(Digits, "train", train)
    refused = call("--network", "digits", "--json", "x.json")
    assert refused.exit_code == 2
    assert refused.stderr == (
        "softmaxfx: the training of digits by float32, Adam, seed 1, came to no end: loss must "
        "hold the largest loss\n"
    )


def test_a_missing_package_is_told_of_in_one_sentence(trained, monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "sklearn" else name)
    refused = call()
    assert refused.exit_code == 2
    assert refused.stderr == "softmaxfx: train needs sklearn: pip install 'softmaxfx[study]'\n"
    assert trained == []
