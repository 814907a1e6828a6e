"""Goals, and the search for the cheapest configuration that meets one."""

import dataclasses
import math
import tomllib
from collections import Counter

import pytest

from softmaxfx.cache import Cache
from softmaxfx.golden import ConfigError, SoftmaxConfig, preset
from softmaxfx.study.sweep.known import evaluate, known
from softmaxfx.study.sweep.search import search
from softmaxfx.study.sweep.space.goal import Comparison, Goal, width_metrics
from softmaxfx.study.sweep.space.space import Space
from softmaxfx.study.sweep.space.task import Task

DATA = {"one": "1" * 64, "two": "2" * 64}


@pytest.mark.parametrize(
    "text", ["bound_ulp <= 1 and kl <= 1e-4", " bound_ulp<=1 and  kl <= .0001 "]
)
def test_a_goal_is_comparisons(text):
    expected = Comparison("bound_ulp", "<=", 1.0), Comparison("kl", "<=", 1e-4)
    assert Goal.parse(text).comparisons == expected
    assert str(Goal.parse(text)) == "bound_ulp <= 1 and kl <= 0.0001"


@pytest.mark.parametrize(
    "text",
    [
        "", "kl", "kl <=", "<= 1", "kl = 1", "kl == 1", "kl <= 1 or kl >= 0", "kl <= 1 and",
        "and kl <= 1", "kl <= one", "kl <= 1_0", "kl <= 0x1", "kl <= nan", "kl <= inf",
        "kl <= 1 kl <= 2", "kl <= 1, bound_ulp <= 1", "1 >= kl", "kl <= __import__('os')",
        "kl <= 1 AND kl <= 2", "kl << 1", "0 < kl < 1",
    ],
)  # fmt: skip
def test_what_is_no_comparison_is_refused(text):
    with pytest.raises(ConfigError, match="goal must be comparisons like 'bound_ulp <= 1 and kl"):
        Goal.parse(text)


def test_an_unknown_metric_is_named_with_those_there_are(space):
    with pytest.raises(ConfigError, match=r"goal must name a metric of bound_ulp, .*, not 'speed'"):
        Goal.parse("kl <= 1 and speed >= 3")
    with pytest.raises(ConfigError, match=r"minimize must name a metric of .* lut, .*, not 'cost'"):
        Task(space, Goal.parse("kl <= 1"), "cost", DATA)
    with pytest.raises(ConfigError, match="goal must compare with a finite number, not 1e999"):
        Goal.parse("kl <= 1e999")


def test_a_miss_is_relative_and_added_up():
    goal = Goal.parse("bound_ulp <= 2 and kl > 0.5 and lut < 1")
    assert goal.miss({"bound_ulp": 2.0, "kl": 0.6, "lut": 0.5}) == 0
    assert goal.miss({"bound_ulp": 3.0, "kl": 0.25}) == 1.0
    assert goal.miss({"kl": 0.5}) > 0
    assert goal.miss({"kl": math.nan}) == math.inf


def test_widths_are_metrics():
    config = preset("base")
    widths = width_metrics(config)
    assert (widths["input_bits"], widths["output_bits"]) == (16, 16)
    assert widths["bits"] == 32 + config.widths.mantissa_bits + config.widths.reciprocal_bits


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"trials": 0}, "trials must be a whole number from 1 to 100000, not 0"),
        ({"seeds": 0}, "seeds must be a whole number from 1 to 1000, not 0"),
        ({"seed": -1}, "seed must be a whole number from 0 to .*, not -1"),
        ({"data": {}}, "a search must have at least one source, not none"),
        (
            {"space": Space.parse({"design": [{"axes": {"lanes": [1]}}]}, "designs")},
            r"space designs must have a \[\[grid\]\] to search",
        ),
    ],
)
def test_a_task_that_cannot_be_is_refused(space, changes, sentence):
    task = {"space": space, "goal": Goal.parse("kl <= 1"), "minimize": "kl", "data": DATA}
    with pytest.raises(ConfigError, match=sentence):
        Task(**{**task, **changes})


def task_of(space, **changes):
    goal = Goal.parse("bound_ulp <= 1 and kl <= 1e-5")
    return dataclasses.replace(Task(space, goal, "lut", DATA, trials=20), **changes)


def test_a_small_space_is_searched_to_its_end(cache, space, stub):
    task = task_of(space)
    found = search(cache, task, stub.run)
    # kl = 2^-(input + output bits) <= 1e-5 from 17 bits; the fewest of the cheaper datapath are 18
    assert found.best is not None
    assert found.best.candidate.config == SoftmaxConfig.from_dict(
        {"input": "SQ(5, 5)", "output": "UQ(0, 8)", "datapath": "exact_sum"}, preset("tiny")
    )
    assert (found.best.cost, found.best.miss, found.tried) == (1800, 0, 16)
    assert found.best.points["two"]["kl"] == 2.0**-18
    assert found.best.design["lut"] == 1800
    # what misses the goal is not synthesised, and nothing is done twice
    assert len(stub.log) == 32 + 14
    assert max(Counter(stub.log).values()) == 1
    assert search(cache, task, stub.run) == found
    assert len(stub.log) == 32 + 14  # and neither the next time


def test_the_answer_is_a_file_and_a_command(cache, space, stub):
    best = search(cache, task_of(space, minimize="bits", trials=4), stub.run).best
    assert best is not None
    read = SoftmaxConfig.from_dict(tomllib.loads(best.toml))
    assert read == best.candidate.config
    assert best.command.startswith("softmaxfx export ")
    assert best.design == {}  # nothing asked for a synthesis


@pytest.fixture
def large():
    """1,040 configurations."""
    return Space.parse(
        {
            "base": {"preset": "tiny"},
            "grid": [
                {
                    "name": name,
                    "fixed": {"datapath": name},
                    "axes": {
                        "clip": ["input", "difference"],
                        "input": {"from": 2, "to": 11, "format": "SQ(5, {})"},
                        "output": {"from": 4, "to": 16, "format": "UQ(0, {})"},
                    },
                }
                for name in ("max_subtract", "exact_sum")
            ],
        },
        "large",
    )


def test_a_large_space_is_sampled_and_repeats(tmp_path, large, stub):
    founds = []
    for number in range(2):
        with Cache(tmp_path / f"{number}.sqlite") as cache:
            founds.append(search(cache, task_of(large, trials=20), stub.run))
    assert founds[0] == founds[1]
    best = founds[0].best
    assert best is not None
    assert best.points["one"]["kl"] <= 1e-5
    assert 10 <= founds[0].tried <= 20
    half = len(stub.log) // 2
    assert stub.log[:half] == stub.log[half:]
    assert half <= 20 * 3


def test_a_search_that_is_repeated_evaluates_nothing(cache, large, stub):
    task = task_of(large, trials=20)
    found = search(cache, task, stub.run)
    evaluated = len(stub.log)
    evaluate(cache, large.points(DATA)[:200], stub.run)  # what becomes known changes nothing
    stub.log.clear()
    assert search(cache, task, stub.run) == found
    assert stub.log == []
    assert evaluated > 0


def test_a_search_that_was_interrupted_finds_the_same(cache, tmp_path, large, stub):
    def interrupted(entries):
        for told in stub.run(entries):
            yield told
            if len(stub.log) == 17:
                raise KeyboardInterrupt

    task = task_of(large, trials=20)
    with pytest.raises(KeyboardInterrupt):
        search(cache, task, interrupted)
    found = search(cache, task, stub.run)
    assert max(Counter(stub.log).values()) == 1
    with Cache(tmp_path / "another.sqlite") as fresh:
        assert search(fresh, task, stub.run) == found


def test_the_cache_is_asked_before_anything_is_evaluated(cache, space, stub):
    entries = evaluate(cache, space.points(DATA), stub.run)
    task = task_of(space, minimize="bits")
    found = search(cache, task, stub.run)
    assert found.best is not None
    assert found.best.candidate.config is not None
    assert width_metrics(found.best.candidate.config)["bits"] == found.best.cost
    assert len(stub.log) == len(entries) == 32  # the search evaluated nothing


def test_a_search_begins_with_the_best_that_is_known(cache, large, stub):
    points = [entry for entry in large.points(DATA) if entry.status == "open"]
    evaluate(cache, points, stub.run)
    assert all(entry.status == "done" for entry in known(cache, points))
    task = task_of(large, trials=8, minimize="bits")
    found = search(cache, task, stub.run)
    assert found.best is not None
    assert found.best.cost == min(
        width_metrics(entry.config)["bits"]
        for entry in known(cache, points)
        if entry.metrics["kl"] <= 1e-5
    )


def test_no_configuration_may_meet_the_goal(cache, space, stub):
    goal = Goal.parse("kl <= 1e-9")
    found = search(cache, task_of(space, goal=goal, minimize="kl"), stub.run)
    assert found.best is None
    assert found.closest is not None
    assert found.closest.points["one"]["kl"] == 2.0**-26


def test_a_metric_that_no_source_has_is_named(cache, space, stub):
    goal = Goal.parse("loss_change <= 1")
    with pytest.raises(ConfigError, match="unlike loss_change, which none of one, two has"):
        search(cache, task_of(space, goal=goal, minimize="kl", trials=2), stub.run)
