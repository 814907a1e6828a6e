"""``softmaxfx coverage``: what is known is not measured again, and what failed is told."""

from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from softmaxfx import coverage as module
from softmaxfx import engine
from softmaxfx.cli import main
from softmaxfx.coverage import Task
from softmaxfx.golden import preset
from softmaxfx.outcomes import Outcome
from softmaxfx.sim.coverage import Coverage
from softmaxfx.sim.coverage_reasons import Missed
from softmaxfx.study import tasks

COVERED = Coverage(
    "tiny", 0, 200, 1000, (Missed("toggle", "top", "x", "bits 3", ("[3] 0->1", "[3] 1->0")),)
)


@pytest.fixture
def outcomes(monkeypatch):
    """Of the tasks to come, in their order; nothing is measured."""
    coming: list[Outcome] = []

    class Made:
        def __init__(self, *_, **__):
            self.run = lambda tasks: ((task, coming.pop(0)) for task in tasks)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(engine, "Engine", Made)
    monkeypatch.setattr(module, "check_tools", lambda _: None)
    monkeypatch.setattr(
        module,
        "exported",
        lambda jobs, _: [SimpleNamespace(top=f"unit{n}") for n, _ in enumerate(jobs)],
    )
    return coming


def call(tmp_path, *more):
    return CliRunner().invoke(main, ["coverage", "--out", str(tmp_path), *more])


def test_what_is_known_is_not_measured_again(outcomes, tmp_path):
    outcomes.append(Outcome("done", asdict(COVERED)))
    first, second = call(tmp_path), call(tmp_path)
    for told in (first, second):
        assert told.exit_code == 1  # a signal that nothing explains
        assert "lines 100.00 %, bits toggled 99.80 %, 1 signals not explained" in told.output
    assert "0 units: building" in second.output
    assert "- top: `x`, bits 3: [3]\n" in (tmp_path / "unit0.md").read_text()


def test_where_one_fails_the_others_stay_known(outcomes, tmp_path):
    well = replace(COVERED, missed=())
    outcomes += [Outcome("done", asdict(well)), Outcome("failed", reason="no g++")]
    both = "--preset", "tiny", "--preset", "int8"
    failed = call(tmp_path, *both)
    assert (failed.exit_code, failed.stderr) == (2, "softmaxfx: softmax: no g++\n")
    outcomes.append(Outcome("done", asdict(well)))
    done = call(tmp_path, *both)
    assert done.exit_code == 0, done.output
    assert "1 units: building" in done.output
    assert outcomes == []


def test_a_key_tells_apart_all_that_figures_depend_on(monkeypatch):
    task = Task("softmax", "tiny", preset("tiny"))
    others = [replace(task, unit="cross_entropy"), replace(task, config=preset("tiny", lanes=2))]
    keys = {one.key for one in (task, *others)}
    assert len(keys) == 3
    for name in ("code_sha256", "tools_of"):
        with monkeypatch.context() as patch:
            patch.setattr(tasks, name, lambda *_: "another")
            assert task.key not in keys
