"""The place of a sum's leading one, and the bits behind it."""

import numpy as np
import pytest

from softmaxfx.golden.stages.leading_one import significand
from softmaxfx.hdl.stages.leading_one import LeadingOne

from ..streams import pipelined


def check(sum_bits: int, lowest: int, kept: int, total: np.ndarray) -> None:
    dut = LeadingOne(sum_bits=sum_bits, lowest=lowest, kept=kept)
    q, s = pipelined(dut, {"i": total}, ["q", "s"], latency=LeadingOne.latency_of(sum_bits, lowest))
    gold_q, gold_s = significand(total, 0, kept, lowest)
    np.testing.assert_array_equal(q, gold_q - lowest)
    np.testing.assert_array_equal(s, gold_s)


def sums(sum_bits: int, lowest: int) -> np.ndarray:
    """Sums with their leading one at every place: alone, with all bits behind it, with some."""
    rng, values = np.random.default_rng(51), []
    for place in range(lowest, sum_bits):
        one = 1 << place
        values += [one, 2 * one - 1, one + (one >> 1), one | 1, 2 * one - 1 - (one >> 1)]
        values += (one + rng.integers(0, one, 8)).tolist()
    return rng.permutation(np.array(values, np.int64))


@pytest.mark.parametrize("kept", [1, 20])
@pytest.mark.parametrize("lowest", [0, 7, 30])
@pytest.mark.parametrize("places", [1, 2, 3, 4, 5, 8, 9, 11, 16, 17, 20, 31, 32, 33])
def test_every_place_of_the_leading_one(places, lowest, kept):
    sum_bits = lowest + places
    check(sum_bits, lowest, kept, sums(sum_bits, lowest))


@pytest.mark.parametrize("lowest", [0, 1, 14, 17, 31, 61, 62])
def test_every_place_in_the_widest_sum(lowest):
    check(63, lowest, 28, sums(63, lowest))


@pytest.mark.parametrize(("sum_bits", "lowest"), [(9, 0), (12, 3), (10, 9)])
def test_every_sum(sum_bits, lowest):
    check(sum_bits, lowest, 6, np.arange(1 << lowest, 1 << sum_bits))


def test_a_sum_of_0_disturbs_no_other():
    rng = np.random.default_rng(52)
    total = rng.integers(1, 1 << 30, 300) >> rng.integers(0, 10, 300)
    total = np.maximum(total, 1 << 8)
    empty = rng.random(300) < 0.3
    dut = LeadingOne(sum_bits=31, lowest=8, kept=12)
    q, s = pipelined(
        dut, {"i": np.where(empty, 0, total)}, ["q", "s"], latency=LeadingOne.latency_of(31, 8)
    )
    gold_q, gold_s = significand(total, 0, 12, 8)
    np.testing.assert_array_equal(q[~empty], gold_q[~empty] - 8)
    np.testing.assert_array_equal(s[~empty], gold_s[~empty])
