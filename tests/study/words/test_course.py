"""What a training comes to within a budget, when it ends, and how it compares."""

import math
from itertools import count

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.study.words.compared import Compared, compared
from softmaxfx.study.words.course import Course, Point, Stop, followed, perplexity


def course(method, losses, seconds=1.0, softmax="float32"):
    """Measured every 10 steps; the test's losses are a tenth larger."""
    points = [
        Point(
            10 * number,
            seconds * number,
            loss,
            1.1 * loss if loss == min(losses[:number]) else None,
        )
        for number, loss in enumerate(losses, 1)
    ]
    return Course(method, softmax, tuple(points))


def test_a_budget_buys_the_best_until_it_is_spent():
    one = course("full", [5.0, 4.0, 4.5, 3.0], seconds=2.0)
    assert one.best == one.points[3]
    assert one.within(steps=39) == one.points[1]
    assert one.within(seconds=2.5) == one.points[0]
    assert one.within(steps=3) == one.points[0]
    assert one.seconds_a_step == 0.2


def test_others_are_held_to_the_full_softmax_by_the_same_arithmetic():
    full = course("full", [4.0, 3.0], seconds=4.0)
    cheap = course("adaptive", [4.5, 3.01, 2.9, 2.8], seconds=1.0)
    other = course("full", [2.0], softmax="base")
    found = compared([full, cheap, other])
    assert [one.full for one in found] == [full, full, other]
    one = found[1]
    assert one.in_steps == cheap.points[1]
    assert one.in_time == cheap.points[3]
    assert one.ratio(one.in_steps) == pytest.approx(math.exp(1.1 * 0.01))
    assert one.kept
    assert one.faster == 4
    assert not Compared(course("adaptive", [4.5, 3.1]), full).kept


def test_a_training_ends_where_nothing_gets_better():
    losses = iter([4.0, 3.0, 3.5, 2.5, 2.6, 2.7, 1.0])
    tests = count(10)
    points = followed(
        Stop(interval=2, patience=2), lambda: 0.5, lambda: next(losses), lambda: next(tests)
    )
    assert [point.step for point in points] == [2, 4, 6, 8, 10, 12]
    assert [point.test for point in points] == [10, 11, None, 12, None, None]
    assert points[-1].seconds == 6


def test_a_training_ends_at_the_most_steps_and_is_measured_there():
    points = followed(Stop(interval=4, patience=9, most=6), lambda: 1.0, lambda: 1.0, lambda: 2.0)
    assert [point.step for point in points] == [4, 6]


def test_perplexity_is_of_nats():
    assert perplexity(math.log(50)) == pytest.approx(50)
    assert perplexity(None) == math.inf
