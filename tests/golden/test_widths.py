"""Derived widths hold every difference and keep the bounds that the design asks for."""

import math
import re

import pytest

from softmaxfx.golden.datapaths.datapath import Needs
from softmaxfx.golden.datapaths.exact_sum import ExactSum, top_of
from softmaxfx.golden.datapaths.max_subtract import MaxSubtract, reach_of
from softmaxfx.golden.errors import ConfigError
from softmaxfx.golden.widths import split_index


@pytest.mark.parametrize("bits", range(1, 26))
def test_an_index_is_split_into_nearly_equal_tables_that_fit_a_block_ram(bits):
    split = split_index(bits)
    assert sum(split) == bits
    assert all(1 <= part <= 9 for part in split)
    assert list(split[1:]) == sorted(split[1:], reverse=True)
    assert max(split[1:], default=0) - min(split[1:], default=0) <= 1
    assert len(split) == (1 if bits <= 9 else math.ceil(bits / 8))


def derive(index=16, fraction=16, max_length=1024, step=2.0**-11, **by_hand):
    half = 2 ** (index - 1) - 1  # of the span
    return MaxSubtract.of(
        Needs(half, -half, half, step, fraction, max_length, False, by_hand)
    ).widths


@pytest.mark.parametrize("fraction", [2, 8, 12, 16, 24])
@pytest.mark.parametrize("max_length", [1, 2, 3, 1000, 1024, 65536])
def test_derived_widths_keep_the_design_s_minima(fraction, max_length):
    logarithm = next(k for k in range(20) if 2**k >= max_length)
    for index in range(2, 26):
        step = 20 / 2**index
        widths = derive(index, fraction, max_length, step)
        reach = math.log(2) / step * (widths.sum_fraction + 2)
        assert sum(widths.exp_split) == min(2**index - 2, math.ceil(reach)).bit_length()
        assert widths.mantissa_bits >= fraction + 2
        assert widths.reciprocal_bits >= fraction + 2
        guarded = max(widths.mantissa_bits, fraction + 2) + logarithm + 2
        assert widths.sum_fraction == min(guarded, 46)
        if len(widths.exp_split) == 1:
            assert widths.exp_bits == widths.mantissa_bits
        else:
            assert widths.exp_bits >= widths.mantissa_bits + 4
        # linear segments of 2^-index have a relative error of 2^(-2 index - 3) at most
        assert 2 * widths.reciprocal_index + 2 >= widths.reciprocal_bits
        assert widths.reciprocal_index + widths.reciprocal_step >= widths.reciprocal_bits


def derive_exact(range_code=20480, fraction=16, max_length=1024, step=2.0**-11, **by_hand):
    ends = -range_code, range_code
    return ExactSum.of(Needs(range_code, *ends, step, fraction, max_length, False, by_hand)).widths


@pytest.mark.parametrize("fraction", [2, 8, 12, 16, 24])
@pytest.mark.parametrize("max_length", [1, 2, 3, 1000, 1024, 65536])
def test_derived_widths_of_an_exact_sum_hold_every_term_to_its_last_bit(fraction, max_length):
    logarithm = next(k for k in range(20) if 2**k >= max_length)
    for range_code in (1, 2, 3, 80, 127, 128, 149, 19072, 20480, 32767, 2**20 + 1, 2**23 - 1):
        step = 3.7 / range_code
        widths = derive_exact(range_code, fraction, max_length, step)
        low = sum(widths.exp_split[1:])
        farthest = top_of(range_code, low) + range_code
        assert sum(widths.exp_split) == (2 * range_code).bit_length() >= farthest.bit_length()
        assert widths.mantissa_bits >= fraction + 2
        assert widths.reciprocal_bits >= fraction + 2
        # the first table's last entry is 1.m * 2^-shift with mantissa_bits - 1 bits of m
        steepest = (farthest >> low) * step * 2**low / math.log(2)
        assert widths.sum_fraction == widths.mantissa_bits - 1 + math.ceil(steepest)
        assert widths.sum_fraction + 1 + logarithm <= 63
        if len(widths.exp_split) > 1:
            assert widths.exp_bits > widths.mantissa_bits
        assert 2 * widths.reciprocal_index + 2 >= widths.reciprocal_bits
        assert widths.reciprocal_index + widths.reciprocal_step >= widths.reciprocal_bits


@pytest.mark.parametrize("low", [0, 1, 3, 8, 12])
def test_the_low_bits_of_a_distance_from_the_top_are_the_code_s_inverted(low):
    ones = (1 << low) - 1
    for range_code in (1, 2, 149, 19072, 20480, 32767):
        top = top_of(range_code, low)
        assert range_code <= top <= range_code + ones
        for x in {-range_code, -range_code + 1, -1, 0, 1, range_code // 3, range_code}:
            assert (top - x) & ones == ~x & ones


def test_the_widest_exact_sum_fills_the_integers_and_with_one_bit_more_it_has_a_window():
    for changes, window in (
        ({}, False),
        ({"mantissa_bits": 19}, True),
        ({"step": 2.0**-11 * 1.03}, True),
    ):
        given = {"step": 2.0**-11} | changes
        step, by_hand = given.pop("step"), given
        path = ExactSum.of(Needs(20480, -20480, 20480, step, 16, 65536, False, by_hand))
        assert path.window == window
        assert (16 + path.widths.sum_fraction + 1 > 63) == window


@pytest.mark.parametrize("given", [45, 47, 0, "46", -1])
def test_another_fraction_of_an_exact_sum_is_refused(given):
    sentence = f"sum_fraction must be 46 where the sum is exact, not {given!r}"
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        derive_exact(sum_fraction=given)


def test_a_width_set_by_hand_is_kept_and_the_others_follow_it():
    widths = derive(mantissa_bits=20, exp_split=None)
    assert (widths.mantissa_bits, widths.exp_split) == (20, (8, 8))
    assert widths.exp_bits >= 24
    assert derive(exp_split=(4, 12)).exp_split == (4, 12)
    widths = derive(index=8, exp_split=(3, 5), exp_bits=30)
    assert (widths.exp_split, widths.exp_bits) == ((3, 5), 30)


@pytest.mark.parametrize(
    ("by_hand", "sentence"),
    [
        ({"exp_split": (8, 9)}, "exp_split must add up to the 16 bits of a difference, not (8, 9)"),
        ({"exp_split": "88"}, "exp_split must be a list of widths, not '88'"),
        ({"mantissa_bits": True}, "mantissa_bits must be a whole number from 4 to 28, not True"),
        ({"exp_bits": 37}, "exp_bits must be a whole number from 19 to 36, not 37"),
        ({"reciprocal_step": 21}, "reciprocal_step must be a whole number from 1 to 19, not 21"),
        ({"reciprocal_index": 0}, "reciprocal_index must be a whole number from 1 to 12, not 0"),
        ({"sum_fraction": 8}, "sum_fraction must be a whole number from 18 to 46, not 8"),
    ],
)
def test_a_width_outside_its_limits_is_refused_in_a_sentence(by_hand, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        derive(**by_hand)


@pytest.mark.parametrize("step", [2.0**-11, 0.1, 1.0, 3.3, 50.0, 2.0**30])
@pytest.mark.parametrize("sum_fraction", [10, 22, 30, 46])
def test_beyond_the_reach_exp_is_below_a_quarter_of_the_sum_s_lsb(step, sum_fraction):
    span = 2**16
    reach = reach_of(span, step, sum_fraction)
    assert 1 <= reach <= span
    if reach < span:
        assert math.exp(-step * reach) <= 2.0 ** -(sum_fraction + 2) * (1 + 1e-9)
    if reach > 1:
        assert math.exp(-step * (reach - 1)) > 2.0 ** -(sum_fraction + 2) * (1 - 1e-9)


def test_the_tables_cover_the_reach_and_no_more():
    widths = derive(index=16, step=1.0)  # exp(-23) is below 2^-32
    assert sum(widths.exp_split) == 5
