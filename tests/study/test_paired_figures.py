"""Intervals are Student's, the worst seed is the one that lost most, and promises are heeded."""

from dataclasses import replace

import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study.paired_figures import ACCURACY, LOSS, Pairs, paired_interval, t_quantile

# Two-sided 95 % points of Student's distribution, as statistical tables print them.
TABLE = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 30: 2.042, 120: 1.980}


def pairs(differences: tuple[float, ...], measure=ACCURACY, reference: float = 0.0) -> Pairs:
    return Pairs(
        "digits", "Adam", "base", measure, True, tuple(range(1, len(differences) + 1)),
        (reference,) * len(differences), tuple(reference + each for each in differences), 0.0,
    )  # fmt: skip


@pytest.mark.parametrize(("freedom", "expected"), TABLE.items())
def test_quantiles_are_those_of_printed_tables(freedom, expected):
    assert round(t_quantile(freedom), 3) == expected


def test_an_interval_by_hand():
    # mean 2, standard deviation 1, three seeds: half of it is 4.3027 / sqrt(3)
    low, high = paired_interval((1.0, 2.0, 3.0))
    assert (round(low, 4), round(high, 4)) == (-0.4841, 4.4841)


def test_equal_differences_have_an_interval_of_no_width():
    assert paired_interval((0.25, 0.25, 0.25)) == (0.25, 0.25)


def test_one_seed_has_no_interval():
    with pytest.raises(ConfigError, match=r"^an interval must be of two seeds or more, not 1$"):
        paired_interval((1.0,))


def test_the_worst_seed_lost_most_whichever_way_is_worse():
    assert pairs((0.5, -1.0, 2.0)).worst == (2, -1.0)
    assert pairs((0.5, -1.0, 2.0), LOSS, reference=100.0).worst == (3, pytest.approx(2.0))


def test_losses_differ_in_per_cent_and_accuracies_in_points():
    assert LOSS.difference(5.05, 5.0) == pytest.approx(1.0)
    assert ACCURACY.difference(97.5, 98.0) == -0.5


@pytest.mark.parametrize(
    ("differences", "kept"),
    [
        ((0.1, -0.1, 0.1, -0.1), True),
        ((1.0, 1.0, 1.0), False),  # too good to be the same
        ((-1.0, -1.0, -1.0), False),
        ((0.0, 1.5, -1.5), False),  # the interval is wide
        ((0.0,) * 99 + (-1.5,), True),
        ((0.0,) * 99 + (-1.6,), False),
    ],
)
def test_an_accuracy_keeps_its_promise_by_interval_and_by_worst_seed(differences, kept):
    assert pairs(differences).kept is kept


def test_a_loss_keeps_its_promise_by_its_worst_seed():
    assert pairs((-3.0, 0.49), LOSS, reference=100.0).kept
    assert not pairs((-3.0, 0.51), LOSS, reference=100.0).kept


def test_what_is_left_of_pairs_is_their_mean():
    found = replace(pairs((1.0, 2.0), reference=90.0), clipped=0.5)
    assert (found.mean, found.mean_float32, found.mean_value) == (1.5, 90.0, 91.5)
