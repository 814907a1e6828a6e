"""The sum in a window of limbs: all at once, one by one and in any order, in Python's integers."""

import itertools
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden.config import preset
from softmaxfx.golden.formats import SQ
from softmaxfx.golden.proofs.exact_sum import most_dropped
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.leading_one import significand
from softmaxfx.golden.stages.window import Window

LIMB = 16
STAGES = {
    "full": Window.of(preset("full")),
    "narrowest mantissa": Window(4, 90, 9),
    "mantissa of a limb": Window(16, 16 + 6 * 16 - 2, 100),
    "mantissa wider than a limb": Window(24, 200, 65536),
    "widest": Window(28, 4000, 65536),
    "three limbs": Window(18, 60, 1024),
    "one limb": Window(8, 7, 24),
    "one element": Window(18, 386, 1),
}
each = pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
CONFIGS = {
    "full": preset("full"),
    "few codes": preset("full", input=SQ(7, 1)),
    "steep": preset("full", input=SQ(7, 3), scale=3.3),
    "coarse mantissas": preset("full", input=SQ(8, 2), mantissa_bits=8, max_length=20),
    "wide mantissas": preset("full", input=SQ(8, 4), mantissa_bits=28, max_length=60000),
}


def all_at_once(mantissas, places):
    """(T, sum in units of limb 0's LSB): every limb by itself, those below T - 1 left out."""
    limbs, top = defaultdict(int), 0
    for mantissa, place in zip(mantissas, places, strict=True):
        if mantissa:
            start, fine = divmod(place, LIMB)
            upper, lower = divmod(mantissa * 2**fine, 2**LIMB)
            limbs[start] += lower
            limbs[start + 1] += upper
            top = max(top, start)
    return top, sum(value << (LIMB * limb) for limb, value in limbs.items() if limb >= top - 1)


def one_by_one(mantissas, places):
    """The same as elements come: three sums, of which those that the window leaves are lost."""
    sums, top = {}, 0
    for mantissa, place in zip(mantissas, places, strict=True):
        if not mantissa:
            continue
        start, fine = divmod(place, LIMB)
        top = max(top, start)
        sums = {limb: sums.get(limb, 0) for limb in (top - 1, top, top + 1)}
        for limb, part in ((start, mantissa << fine), (start + 1, mantissa << fine >> LIMB)):
            if limb in sums:
                sums[limb] += part if limb > start else part % 2**LIMB
    return top, int(sum(value * Fraction(2) ** (LIMB * limb) for limb, value in sums.items()))


def told(stage, mantissa, place):
    """(T, sum) of rows as the stage gives them, as :func:`all_at_once` does."""
    total = stage(mantissa, stage.largest_place - place)
    assert (total.low >> LIMB == 0).all()
    assert total.high.max(initial=0).item().bit_length() + LIMB <= stage.sum_bits
    columns = (part[..., 0].tolist() for part in (total.top, total.high, total.low))
    found = []
    for top, high, low in zip(*columns, strict=True):
        value = (high * 2**LIMB + low) * Fraction(2) ** (LIMB * (top - 1))
        assert value.denominator == 1  # below limb 0 there is nothing
        found.append((top, int(value)))
    return found


def check(stage, mantissa, place):
    """Rows of mantissas at their places: three ways to the same sum."""
    gold = [all_at_once(*row) for row in zip(mantissa.tolist(), place.tolist(), strict=True)]
    assert told(stage, mantissa, place) == gold
    assert [one_by_one(*row) for row in zip(mantissa.tolist(), place.tolist(), strict=True)] == gold


def corners(stage):
    """(mantissas, places): of mantissas the ends, of places those around every limb's border."""
    one = 1 << (stage.mantissa_bits - 1)
    borders = range(0, stage.largest_place + LIMB, LIMB)
    places = {border + step for border in borders for step in (-2, -1, 0, 1, 8)}
    places = sorted(place for place in places if 0 <= place <= stage.largest_place)
    return np.array([one, one + 1, 2 * one - 1, one >> 1 | 1]), np.array(places)


def drawn(stage, rng, count, length):
    """Rows of mantissas anywhere, near one another, and at limbs' borders; some are masked."""
    ends, places = corners(stage)
    shape = count, length
    mantissa = rng.integers(1, 1 << stage.mantissa_bits, shape)
    mantissa = np.where(rng.random(shape) < 0.3, rng.choice(ends, shape), mantissa)
    near = rng.integers(0, stage.largest_place + 1, (count, 1)) - rng.integers(0, 56, shape)
    far = rng.integers(0, stage.largest_place + 1, shape)
    kinds = np.stack([near.clip(0), far, rng.choice(places, shape)])
    place = kinds[rng.integers(0, 3, count), np.arange(count)]
    mantissa[rng.random(shape) < rng.choice([0, 0.3, 0.9, 1], (count, 1))] = 0
    return mantissa, place


@each
def test_every_sum_is_that_of_python_s_integers(stage):
    rng = np.random.default_rng(1)
    for length in {
        1,
        min(2, stage.max_length),
        min(9, stage.max_length),
        min(50, stage.max_length),
    }:
        check(stage, *drawn(stage, rng, 300, length))


@each
def test_a_mantissa_alone_is_kept_whole_at_each_of_its_places(stage):
    ends, _ = corners(stage)
    place = np.repeat(np.arange(stage.largest_place + 1), len(ends))[:, None]
    mantissa = np.resize(ends, place.shape)
    pairs = zip(mantissa[:, 0].tolist(), place[:, 0].tolist(), strict=True)
    gold = [(p // LIMB, m << p) for m, p in pairs]
    assert told(stage, mantissa, place) == gold


@each
def test_two_mantissas_at_limbs_borders_keep_what_the_window_holds(stage):
    """All pairs, both orders: from neighbours in one limb to those that never meet."""
    ends, places = corners(stage)
    if stage.max_length > 1:
        places = places[: 5 * 5]  # of the lowest limbs; all others lie alike
        pairs = np.array(list(itertools.product(itertools.product(ends, places), repeat=2)))
        check(stage, pairs[..., 0], pairs[..., 1])


@pytest.mark.parametrize("fine", [0, 1, 14, 15])
@pytest.mark.parametrize("name", ["full", "widest", "narrowest mantissa"])
def test_the_highest_limb_may_rise_by_any_number_of_limbs_in_every_order(name, fine):
    """A full mantissa in each of five limbs, in all orders; then with some limbs left out."""
    stage = STAGES[name]
    full = (1 << stage.mantissa_bits) - 1
    for left_out in (None, 1, 2, 3):
        limbs = [limb for limb in range(5) if limb != left_out]
        orders = np.array(list(itertools.permutations(limbs)))
        place = orders * LIMB + fine
        mantissa = np.full_like(place, full)
        check(stage, mantissa, place)
        assert len(set(told(stage, mantissa, place))) == 1
        _, kept = told(stage, mantissa[:1], place[:1])[0]
        assert kept < sum(full << (limb * LIMB + fine) for limb in limbs)  # the lowest is dropped


@pytest.mark.parametrize("name", ["full", "mantissa wider than a limb", "widest", "one limb"])
def test_the_longest_row_of_full_mantissas_fits_at_every_place_of_a_limb(name):
    stage = STAGES[name]
    full = (1 << stage.mantissa_bits) - 1
    for fine in range(min(LIMB, stage.largest_place + 1)):
        place = stage.largest_place // LIMB * LIMB + fine
        if place <= stage.largest_place:
            row = np.full((1, stage.max_length), full)
            top, value = told(stage, row, np.full_like(row, place))[0]
            assert (top, value) == (place // LIMB, (full << place) * stage.max_length)


@each
def test_rows_of_which_nobody_takes_part_have_no_sum(stage):
    rows = np.zeros((3, min(5, stage.max_length)), np.int64)
    for place in (0, stage.largest_place):
        total = stage(rows, np.full_like(rows, stage.largest_place - place))
        assert not np.concatenate([total.top, total.high, total.low]).any()
    q, _ = significand(total, stage.fraction, 12, -stage.largest_place)
    assert (q == -stage.largest_place).all()


@each
@pytest.mark.parametrize("kept", [3, 12, 20, 28])
def test_a_sum_is_normalised_to_one_and_a_fraction(stage, kept):
    rng = np.random.default_rng(2)
    mantissa, place = drawn(stage, rng, 500, min(6, stage.max_length))
    total = stage(mantissa, stage.largest_place - place)
    q, s = significand(total, stage.fraction, kept, -stage.fraction)
    for (_, value), exponent, rest in zip(
        told(stage, mantissa, place), q[:, 0].tolist(), s[:, 0].tolist(), strict=True
    ):
        if value:
            assert exponent == value.bit_length() - 1 - stage.fraction
            assert rest == int((Fraction(value, 1 << (value.bit_length() - 1)) - 1) * 2**kept)
        else:
            assert exponent == -stage.fraction


@pytest.mark.parametrize("name", ["full", "widest", "mantissa of a limb"])
def test_a_hundred_thousand_rows_in_another_order_have_the_same_sum(name):
    permuted_rows(STAGES[name], count=100_000)


@pytest.mark.long
@pytest.mark.parametrize("name", ["full", "widest", "mantissa of a limb"])
def test_a_million_rows_in_another_order_have_the_same_sum(name):
    permuted_rows(STAGES[name], count=1_000_000)


def permuted_rows(stage, count):
    """Rows, and the same ones permuted with masked elements strewn in, have equal limbs."""
    rng = np.random.default_rng(3)
    for _ in range(0, count, 50_000):
        mantissa, place = drawn(stage, rng, 50_000, 8)
        strewn = [np.pad(part, ((0, 0), (0, 3)), mode="edge") for part in (mantissa, place)]
        strewn[0][:, 8:] = 0
        order = rng.permuted(np.broadcast_to(np.arange(11), strewn[0].shape), axis=1)
        moved = [np.take_along_axis(part, order, axis=1) for part in strewn]
        one, other = (stage(m, stage.largest_place - p) for m, p in ((mantissa, place), moved))
        for field in ("top", "high", "low"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_no_row_s_window_drops_more_than_the_proof_says(config):
    """Exhaustive over codes: for every highest limb the least of its terms, and what the largest
    of the others loses; nothing is lost more by a row than by one with these."""
    stage = Window.of(config)
    mantissa, shift = exp_table(config)(np.arange(config.path.nearest, config.path.reach + 1))
    of_place = defaultdict(set)
    for m, k in zip(mantissa.tolist(), shift.tolist(), strict=True):
        of_place[stage.largest_place - k].add(m)
    worst = Fraction(0)
    for top in range(2, stage.largest_place // LIMB + 1):
        least = [min(ms) << p for p, ms in of_place.items() if p // LIMB == top]
        lost = [
            (m << p) - kept
            for p, ms in of_place.items()
            for m in (ms if p // LIMB == top - 2 else [max(ms)])
            if p // LIMB < top
            for kept in [all_at_once([1, m], [top * LIMB, p])[1] - (1 << (top * LIMB))]
        ]
        worst = max(worst, Fraction(max(lost), min(least)))
    worst *= config.max_length - 1
    assert worst <= Fraction(most_dropped(config))
    assert most_dropped(config) <= 4 * worst  # and not much less
