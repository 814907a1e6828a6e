"""The sum: every term truncated once, added in exact integers, wide enough for any row."""

import math
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden.accumulate import Accumulate
from softmaxfx.golden.config import PRESETS, preset

CONFIGS = PRESETS | {
    "longest": preset("base", max_length=65536),
    "short sum": preset("base", sum_fraction=18),
    "widest sum": preset("base", max_length=65536, sum_fraction=46),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def pairs(config, shape, seed):
    """Mantissas of full width and shifts up to beyond the sum's last bit; no term above 1."""
    rng = np.random.default_rng(seed)
    mantissa = rng.integers(0, 1 << config.widths.mantissa_bits, shape)
    shift = rng.integers(1, config.widths.sum_fraction + 2, shape)
    return mantissa, shift


@each
def test_a_term_is_truncated_to_the_sum_s_lsb(config):
    mantissa, shift = pairs(config, 3000, seed=1)
    gate = Accumulate.of(config).align(mantissa, shift)
    for m, k, term in zip(mantissa.tolist(), shift.tolist(), gate.tolist(), strict=True):
        exact = Fraction(m, 2 ** (config.widths.mantissa_bits - 1 + k))
        assert term == math.floor(exact * 2**config.widths.sum_fraction)
        assert term < 1 << Accumulate.of(config).term_bits


@each
def test_the_sum_is_that_of_python_s_integers_along_the_last_axis(config):
    mantissa, shift = pairs(config, (2, 3, 50), seed=2)
    total = Accumulate.of(config)
    gate = total(mantissa, shift)
    assert gate.shape == (2, 3, 1)
    terms = total.align(mantissa, shift).tolist()
    assert gate.tolist() == [[[sum(row)] for row in plane] for plane in terms]


@each
def test_the_longest_row_of_ones_fills_the_sum_and_no_more(config):
    total = Accumulate.of(config)
    ones = np.full(config.max_length, 1 << (config.widths.mantissa_bits - 1))
    most = total(ones, np.zeros_like(ones)).item()
    assert most == config.max_length << config.widths.sum_fraction
    assert most.bit_length() == total.sum_bits <= 63


@each
def test_the_order_of_the_elements_does_not_matter(config):
    mantissa, shift = pairs(config, 200, seed=3)
    order = np.random.default_rng(4).permutation(200)
    total = Accumulate.of(config)
    assert total(mantissa, shift) == total(mantissa[order], shift[order])
