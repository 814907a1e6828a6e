"""``softmaxfx train-words``: a table, a JSON file, a document, and a stream for the hardware.

Trainings are made up here; tests/study/words has real ones.
"""

import json
from dataclasses import asdict

import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx import engine, options
from softmaxfx.cli import main
from softmaxfx.outcomes import outcome_of
from softmaxfx.study.words.course import Point
from softmaxfx.study.words.training import Training

FINAL = {"full": 4.0, "two-level": 4.1, "adaptive": 4.02}
"""Losses of the test in the end."""
COSTS = {"full": 0.2, "two-level": 0.05, "adaptive": 0.02}
"""Seconds a step."""


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
    """Trainings that were run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "Engine", Here)
    asked = []

    def run(self, folder, given):
        asked.append((self, given))
        file, name = self.stream(folder), self.method.name
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.softmax.name.encode())
        points = [
            Point(100 * step, 100 * step * COSTS[name], FINAL[name] + 1 / step,
                  FINAL[name] + 2 / step - 1)
            for step in (1, 2)
        ]  # fmt: skip
        return {"points": [asdict(point) for point in points]}

    monkeypatch.setattr(Training, "run", run)
    return asked


def call(*arguments: object):
    return CliRunner().invoke(main, ["train-words", *map(str, arguments)])


def test_every_training_is_in_the_json(trained, tmp_path):
    done = call("--json", "x.json", "--seed", 7, "--width", 32)
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "x.json").read_text())
    assert (told["words"], told["cutoffs"], told["seed"]) == (4245, [530, 2122], 7)
    assert told["size"]["width"] == 32
    assert told["at_least"] == 5
    found = {(each["method"], each["softmax"]): each for each in told["trainings"]}
    assert found.keys() == {
        (method, softmax) for method in FINAL for softmax in ("float32", "base exact_sum")
    }
    adaptive = found["adaptive", "base exact_sum"]
    assert adaptive["faster"] == pytest.approx(10)
    assert (
        adaptive["in_steps"]["ratio"]
        == adaptive["in_time"]["ratio"]
        == pytest.approx(1.0202, abs=1e-4)
    )
    assert adaptive["kept"] is True
    assert found["two-level", "float32"]["kept"] is False


def test_the_first_unit_s_stream_lies_in_the_folder(trained, tmp_path):
    done = call("--preset", "int8", "--preset", "full", "--out", "kept")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "kept/stream.npz").read_bytes() == b"int8 max_subtract"
    assert done.output.endswith("tokens and logits: kept/stream.npz\n")


def test_what_was_trained_is_not_trained_again(trained):
    assert call().exit_code == 0
    assert len(trained) == 6
    assert call().exit_code == 0
    assert len(trained) == 6
    assert call("--cutoffs", "500,3000").exit_code == 0
    assert len(trained) == 8


def test_the_document_lies_beside_its_picture(trained, tmp_path):
    done = call("--write", "docs/adaptive.md")
    assert done.exit_code == 0, done.output
    text = (tmp_path / "docs/adaptive.md").read_text()
    assert "![Perplexity by time and by steps](adaptive.svg)" in text
    assert "adaptive, base exact_sum: 1.020 at 10.0 times the speed of a step: kept." in text
    assert (
        "two-level, float32: 1.105 at 4.0 times the speed of a step: not kept; in as much time it"
        in text
    )
    assert "cutoffs [530, 2122]: rows of 532, 1592, 2123 elements" in text
    picture = (tmp_path / "docs/adaptive.svg").read_text()
    assert picture.startswith("<?xml")
    assert "two-level, base exact_sum" in picture


def test_a_text_of_ones_own_is_what_workers_are_given(trained, tmp_path):
    (tmp_path / "own.txt").write_text(" ".join(f"w{n % 50}" for n in range(5000)))
    assert call("--text", "own.txt").exit_code == 0
    training, given = trained[0]
    assert (given.name, len(given.words)) == ("own.txt", 50)
    assert training.text == given.sha256


def test_how_often_words_occur_can_be_said(trained, tmp_path):
    assert call("--at-least", "2", "--json", "x.json").exit_code == 0
    assert json.loads((tmp_path / "x.json").read_text())["words"] == 8697


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--text", "none.txt"], "--text must be a text file, not none.txt: No such file"),
        (["--cutoffs", "10,x"], "'--cutoffs': must be whole numbers with commas between them, not"),
        (["--cutoffs", "100,50"], "cutoffs must rise, and cutoff 2 is 50 after 100, not larger"),
        (["--cutoffs", "100,9000"], "vocabulary must be larger than the last cutoff 9000"),
        (["--div-value", "16"], "div_value must leave every tail a feature, and tail 2 has"),
        (["--write", "x.txt"], "--write must be a .md file, not x.txt"),
        (["--set", "function=log_softmax", "--set", "output=SQ(6, 10)"],
         "config must be one of softmax, not of log_softmax"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_one_sentence(arguments, sentence, trained):
    refused = call(*arguments)
    assert refused.exit_code == 2
    assert sentence in refused.stderr
    assert trained == []


def test_a_missing_package_is_told_of_in_one_sentence(trained, monkeypatch):
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    refused = call()
    assert refused.exit_code == 2
    assert refused.stderr == "softmaxfx: train-words needs torch: pip install 'softmaxfx[torch]'\n"
