"""``softmaxfx plan``: cutoffs, JSON, a page and a document; what cannot be planned is refused.

Times and cycles are made up here; tests/study/plan measures some.
"""

import json
import re
import tomllib

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cli import main
from softmaxfx.golden import SoftmaxConfig
from softmaxfx.sim import simulator
from softmaxfx.study.plan import rows, through_unit
from softmaxfx.study.plan.fit import Timed
from softmaxfx.study.plan.rows import Row
from softmaxfx.study.plan.through_unit import Through


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def simulated(monkeypatch):
    """Rows that need no simulator."""
    found = [Row(1, 1.0, 1), Row(8, 1.0, 1), Row(9, 2.0, 2)]
    monkeypatch.setattr(rows, "measured", lambda config, folder: found)
    monkeypatch.setattr(simulator, "check_tools", lambda folder: None)


@pytest.fixture
def timed(monkeypatch):
    """Products with a time by a law."""
    pytest.importorskip("torch", reason="torch is not installed")
    from softmaxfx.study.plan import products

    def measured(shapes, device, progress):
        return [
            Timed(one.tokens, one.hidden, one.words,
                  max(6e-6, 1e-6 + 2e-11 * one.tokens * one.hidden * one.words))
            for one in shapes
        ]  # fmt: skip

    monkeypatch.setattr(products, "measured", measured)


def call(*arguments: object):
    result = CliRunner().invoke(main, ["plan", *map(str, arguments)])
    assert result.exit_code in (0, 2), result.output
    return result


def cutoffs_of(output: str) -> list[int]:
    found = re.search(r"^cutoffs = (\[.*\])$", output, re.MULTILINE)
    assert found is not None
    return json.loads(found[1])


def test_the_shipped_corpus_reaches_what_is_asked(here):
    for buffer, least in ((16384, 11), (1024, 14)):
        result = call("--buffer-length", buffer, "--json", here / "plan.json")
        assert result.exit_code == 0
        told = json.loads((here / "plan.json").read_text())
        assert told["gain"] >= least
        assert len(told["clusters"]) == 5
        assert told["cutoffs"] == cutoffs_of(result.output)
        cheaper = [one for one in told["splits"] if one["cost"] < told["planned"]]
        assert [one["name"] for one in cheaper] == ["two levels, classes of 94"]


def test_what_is_printed_is_a_configuration():
    output = call("--buffer-length", 16384).output
    lines = output.splitlines()
    toml = tomllib.loads("\n".join(lines[-3:]))
    config = SoftmaxConfig.from_dict(toml)
    assert config.clusters.vocabulary == 8697
    assert max(config.clusters.lengths) == config.max_length


def test_counts_of_a_file(here):
    (here / "counts.txt").write_text("".join(f"w{i} {1 + i}\n" for i in range(50)))
    result = call("--counts", "counts.txt", "--clusters", 3, "--json", "plan.json")
    assert "the counts were not sorted, and were sorted here" in result.output
    told = json.loads((here / "plan.json").read_text())
    assert told["order"] == [*range(49, -1, -1)]
    assert told["words"] == 50
    assert len(told["cutoffs"]) == 2


def test_tokens_and_texts(here):
    np.save(here / "t.npy", np.array([3, 3, 3, 1, 1, 0]))
    told = call("--tokens", "t.npy", "--vocabulary", 5, "--clusters", 2, "--json", "t.json")
    assert told.exit_code == 0
    assert json.loads((here / "t.json").read_text())["order"] == [3, 1, 0, 2, 4]
    (here / "t.txt").write_text("a b a c\nA b d\n")
    result = call("--text", "t.txt", "--clusters", 2)
    assert "not sorted" not in result.output
    assert len(cutoffs_of(result.output)) == 1


def test_more_lanes_take_fewer_cycles(here):
    costs = []
    for lanes in (4, 16):
        call("--lanes", lanes, "--json", "plan.json")
        costs.append(json.loads((here / "plan.json").read_text())["planned"])
    assert costs[0] > 2 * costs[1]


def test_rows_are_measured(simulated, here):
    result = call("--measure", "--json", "plan.json", "--html", "plan.html")
    assert "the largest difference from ceil(k / lanes) cycles is 0 %" in result.output
    assert len(json.loads((here / "plan.json").read_text())["rows"]) == 3
    assert 'id="chart-rows"' in (here / "plan.html").read_text()


def test_tokens_go_through_the_unit_in_their_order(monkeypatch, here):
    given = []

    def through(found, tokens, out, progress):
        given.append(tokens.tolist())
        return [Through("planned", (2,), 2.0, 2.01, 4.0, len(tokens))]

    monkeypatch.setattr(through_unit, "through_unit", through)
    monkeypatch.setattr(simulator, "check_tools", lambda folder: None)
    np.save("tokens.npy", np.array([7, 5, 5, 9, 5, 7, 9, 9, 9]))
    result = call("--tokens", "tokens.npy", "--clusters", 2, "--simulate", 6, "--json", "plan.json")
    assert given == [[2, 1, 1, 0, 1, 2]]
    assert "6 tokens through the simulated unit" in result.output
    assert re.search(r"planned +│ \[2\] +│ +2\.000 │ +2\.010 │ +-0\.50 % │ +1\.99", result.output)
    (told,) = json.loads((here / "plan.json").read_text())["through_unit"]
    assert told["cycles"] == 2.01


def test_a_plan_by_time(timed, here):
    result = call(
        "--cost", "cpu", "--batch", 64, "--hidden", 256, "--threads", 1, "--json", "plan.json"
    )
    assert "no product takes less than 6 µs" in result.output
    assert "vocabulary =" not in result.output
    told = json.loads((here / "plan.json").read_text())
    assert told["law"]["floor"] == pytest.approx(6e-6)
    assert told["cost"] == {"batch": 64, "hidden": 256, "widths": [64] * len(told["cutoffs"])}


def test_products_of_each_split_are_measured(timed, here):
    call("--cost", "cpu", "--measure", "--threads", 1, "--json", "p.json", "--html", "p.html")
    told = json.loads((here / "p.json").read_text())
    took = {tuple(one["cutoffs"]): one["cost"] for one in told["measured"]}
    picked = [took[tuple(one["cutoffs"])] for one in told["splits"]]
    assert picked[0] == took[()] > picked[-1] == took[tuple(told["cutoffs"])] == min(picked)
    assert all(tuple(one["cutoffs"]) in took for one in told["curve"])
    assert "<th>measured</th>" in (here / "p.html").read_text()


def test_dimensions_by_torchs_rule(timed, here):
    call("--cost", "cpu", "--hidden", 256, "--div-value", 4, "--clusters", 4, "--json", "p.json")
    told = json.loads((here / "p.json").read_text())
    assert told["cost"]["widths"] == [64, 16, 4][: len(told["cutoffs"])]


def test_the_document(simulated, timed, here):
    folder = here / "build" / "counts"
    folder.mkdir(parents=True)
    for package in ("symspellpy", "wordsegment"):
        (folder / f"{package}.txt").write_text("".join(f"{900 // (i + 1)}\n" for i in range(90)))
    result = call("--write", "--threads", 1)
    assert result.exit_code == 0, result.output
    text = (here / "docs" / "plan.md").read_text()
    for name in re.findall(r"\]\((.*)\)", text):
        assert (here / "docs" / name).read_text().startswith("<?xml")
    assert "| symspellpy | 90 | 1,024 |" in text
    assert "planned, up to 5 clusters | [116, 964, 1988, 4388] | 5 | 88.56 | 24.57" in text


REFUSED = {
    "two texts": (
        ["--text", "a", "--counts", "b"], r"--text and --counts must not be given together"
    ),
    "a vocabulary of a text": (
        ["--vocabulary", "9"], r"--vocabulary must be given together with --tokens"
    ),
    "tokens of counts": (
        ["--counts", "c.txt", "--clusters", "2", "--simulate", "9"],
        r"--simulate must be given for the shipped corpus or with --tokens"
    ),
    "rows of no unit": (
        ["--clusters", "2", "--buffer-length", "8", "--simulate", "9"],
        r"--simulate must be given with a --buffer-length that holds a row of every cluster"
    ),
    "a batch of cycles": (["--batch", "8"], r"--batch must be given together with --cost cpu or"),
    "lanes of times": (
        ["--cost", "cpu", "--lanes", "8"], r"--lanes must be given together with --cost cycles"
    ),
    "threads of a GPU": (
        ["--cost", "cuda", "--threads", "1"], r"--threads must be given together with --cost cpu"
    ),
    "more clusters than words": (
        ["--counts", "c.txt"], r"--clusters must be at most the number of words, 3, not 5"
    ),
    "one cluster": (["--clusters", "1"], r"'--clusters': 1 is not in the range"),
    "a count of 0": (["--counts", "zero.txt"], r"one a line, not '0' \(line 2 of zero\.txt\)"),
    "no file": (["--text", "none"], r"--text must be a readable text, not none"),
    "an empty file": (["--text", "empty"], r"empty must hold a word, and holds none"),
    "a dimension of 0": (
        ["--cost", "cpu", "--hidden", "8", "--div-value", "16"],
        r"leaves tail 1 of 8 hidden units none",
    ),
    "a div_value below 1": (
        ["--cost", "cpu", "--div-value", "0.5"], r"--div-value must be at least 1 and finite"
    ),
    "a div_value that is none": (
        ["--cost", "cpu", "--div-value", "nan"], r"--div-value must be at least 1 and finite"
    ),
    "a longest row below the buffer": (
        ["--max-length", "512"], r"max_length must be at least buffer_length, 1024, not 512"
    ),
    "rows that are too short": (
        ["--buffer-length", "64", "--max-length", "128"],
        r"8697 words in 5 clusters must fit what is sent, .*, none above 128",
    ),
    "a buffer below a beat": (
        ["--buffer-length", "4"], r"buffer_length must be a whole number from 8 to"
    ),
    "a page that is none": (["--html", "p.md"], r"--html must be a \.html file, not p\.md"),
    "a document of another text": (
        ["--write", "--counts", "c.txt"], r"--write must be given alone, or with --threads"
    ),
    "a document without lists": (
        ["--write"], r"must find the lists of symspellpy and wordsegment in build/counts"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_planned_is_refused(arguments, sentence, here):
    (here / "c.txt").write_text("3\n2\n1\n")
    (here / "zero.txt").write_text("3\n0\n")
    (here / "empty").write_text("")
    result = call(*arguments)
    assert result.exit_code == 2
    assert re.search(sentence, f"{result.output}{result.exception}")
    assert not isinstance(result.exception, AttributeError | TypeError | NotImplementedError)
