"""The soak covers the matrix, repeats nothing that is done, and tells what it did."""

import math
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from softmaxfx.cache import Cache
from softmaxfx.cli import main
from softmaxfx.golden import PRESETS, ConfigError, preset
from softmaxfx.golden.units.registry import UNITS, unit_sha256
from softmaxfx.outcomes import Outcome, outcome_of
from softmaxfx.study import soak as module
from softmaxfx.study import tasks
from softmaxfx.study.soak import LANES, MADE_BY, Task, random_rows, soak, units
from softmaxfx.study.tasks import Maker


def test_the_matrix_has_every_preset_with_every_number_of_lanes_and_every_option():
    matrix = list(units())
    soaked = {(unit, unit_sha256(unit, config), rom) for _, unit, config, rom in matrix}
    assert len(soaked) == len(matrix)
    choices = {"softmax": module.OPTIONS, **module.GRADIENT_OPTIONS}
    assert choices.keys() == UNITS.keys()
    for config in PRESETS.values():
        for lanes in LANES:
            for unit, options in choices.items():
                for changes in options:
                    made = module.changed(config, changes).replace(lanes=lanes)
                    assert (unit, unit_sha256(unit, made), "memory") in soaked


def test_random_rows_hold_the_hard_cases():
    config = preset("tiny")
    rows = random_rows(config, 400, seed=3)
    assert {1, config.max_length} <= set(rows.lengths.tolist())
    assert (rows.present & ~rows.active).any()
    assert (~rows.active.any(axis=1)).any()
    assert (abs(rows.values) > config.range).any()


@pytest.fixture
def small(monkeypatch):
    """One unit, short jobs, and a clock that allows two of them."""
    matrix = [("a unit", "cross_entropy", preset("tiny"), "memory")]
    monkeypatch.setattr(module, "units", lambda: iter(matrix))
    monkeypatch.setattr(module, "ROWS", 20)
    monkeypatch.setattr(module, "FRAMES", 100)
    ticks = count()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(ticks)))


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache.sqlite") as opened:
        yield opened


def run_in(folder):
    """Runs tasks in this process."""
    work = Maker(folder, MADE_BY)()
    return lambda tasks: ((task, outcome_of(work, task)) for task in tasks)


def test_a_soak_that_starts_again_goes_on_behind_what_is_done(small, tmp_path, cache):
    finished = []
    first = soak(cache, run_in(tmp_path), minutes=2 / 60, tell=finished.append)
    assert [job.seed for job in first] == [1]
    second = soak(cache, run_in(tmp_path), minutes=3 / 60, tell=finished.append)
    assert [job.seed for job in second] == [2]
    assert finished == first + second
    assert all(job.mismatches == 0 and job.bound_kept and job.elements > 1000 for job in finished)


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("failed", reason="no simulator"),
        Outcome("done", {"elements": 1, "frames": 1, "mismatches": 1, "first": "row 3",
                         "bound_kept": True}),
        Outcome("done", {"elements": 1, "frames": 1, "mismatches": 0, "first": "above the bound",
                         "bound_kept": False}),
    ],
    ids=["no end", "mismatch", "bound"],
)  # fmt: skip
def test_a_job_that_is_not_well_is_told_and_run_again(outcome, small, cache):
    def run(tasks):
        return ((task, outcome) for task in tasks)

    for _ in range(2):
        (job,) = soak(cache, run, minutes=2 / 60, tell=lambda job: None)
        assert job.failed
        assert job.seed == 1
        assert job.first == (outcome.reason or outcome.value["first"])


def test_a_key_tells_apart_all_that_an_outcome_depends_on(monkeypatch):
    task = Task("a unit", "softmax", preset("tiny"), "memory", 1, 20, 100)
    others = [
        replace(task, unit="cross_entropy"), replace(task, config=preset("tiny", lanes=2)),
        replace(task, rom="case"), replace(task, seed=2), replace(task, rows=21),
        replace(task, frames=101),
    ]  # fmt: skip
    keys = {one.key for one in (task, *others)}
    assert len(keys) == 7
    assert replace(task, label="the same unit").key == task.key
    for name in ("code_sha256", "tools_of"):
        with monkeypatch.context() as patch:
            patch.setattr(tasks, name, lambda *_: "another")
            assert task.key not in keys


@pytest.mark.parametrize("minutes", [math.nan, math.inf, -math.inf, -1, np.float32(-2), "5", None])
def test_a_time_that_never_ends_is_refused(minutes, tmp_path, cache):
    with pytest.raises(ConfigError, match=r"^minutes must be a number from 0 on, not "):
        soak(cache, run_in(tmp_path), minutes=minutes, tell=print)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True])
def test_a_seed_that_is_none_is_refused(seed, tmp_path, cache):
    with pytest.raises(ConfigError, match=r"^seed must be a whole number from 0 to 4294967295"):
        soak(cache, run_in(tmp_path), minutes=1, first_seed=seed, tell=print)


def test_the_command_prints_the_seed_and_the_verdict(small, tmp_path):
    result = CliRunner().invoke(
        main, ["soak", "--workers", "1", "--minutes", str(2 / 60), "--out", str(tmp_path)]
    )
    assert result.exit_code == 0
    assert "seed 1: a unit:" in result.output
    assert "100 hostile frames: ok" in result.output
    assert "1 jobs" in result.output
