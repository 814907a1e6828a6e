"""The sum: every term truncated once, added in exact integers, wide enough for any row."""

import math
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden.config import PRESETS, preset
from softmaxfx.golden.stages.accumulate import Accumulate, lowest_exponent
from softmaxfx.golden.stages.exp import exp_table

EXACT = {
    **{
        name: config.replace(datapath="exact_sum")
        for name, config in PRESETS.items()
        if name != "full"
    },
    "longest": preset("base", max_length=65536, datapath="exact_sum"),
    "one element": preset("base", max_length=1, datapath="exact_sum"),
    "odd range": preset("base", range=9.3125, max_length=1000, datapath="exact_sum"),
    "three tables": preset("base", range=7.5, exp_split=(5, 5, 5), datapath="exact_sum"),
    "two of four bits": preset("int8", exp_split=(4, 4), datapath="exact_sum"),
    "sqrt": preset("base", scale=1 / 8**0.5, datapath="exact_sum"),
    "flat": preset("base", scale=0.01, datapath="exact_sum"),
    "widest": preset("int8", scale=1.9, range=9.25, max_length=4, datapath="exact_sum"),
}
CONFIGS = {
    **{name: config for name, config in PRESETS.items() if name != "full"},
    "longest": preset("base", max_length=65536),
    "short sum": preset("base", sum_fraction=18),
    "widest sum": preset("base", max_length=65536, sum_fraction=46),
    **{f"{name}, exact sum": config for name, config in EXACT.items()},
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


@pytest.mark.parametrize("config", EXACT.values(), ids=EXACT)
def test_an_exact_sum_is_that_of_fractions(config):
    """m * 2^(1 - mantissa_bits - k) of rows anywhere in the range, their ends included."""
    rng = np.random.default_rng(5)
    length = min(config.max_length, 100)
    u = rng.integers(config.path.nearest, config.path.farthest, (30, length), endpoint=True)
    u[0], u[1], u[2, 0], u[2, 1:] = (
        config.path.nearest,
        config.path.farthest,
        config.path.nearest,
        config.path.farthest,
    )
    mantissa, shift = exp_table(config)(u)
    gate = Accumulate.of(config)(mantissa, shift)[:, 0].tolist()
    for ms, ks, total in zip(mantissa.tolist(), shift.tolist(), gate, strict=True):
        exact = sum(
            Fraction(m, 2 ** (config.widths.mantissa_bits - 1 + k))
            for m, k in zip(ms, ks, strict=True)
        )
        assert Fraction(total, 2**config.widths.sum_fraction) == exact


@pytest.mark.parametrize("config", EXACT.values(), ids=EXACT)
def test_no_term_of_an_exact_sum_loses_a_bit_and_its_last_bit_is_used(config):
    u = np.unique(np.linspace(config.path.nearest, config.path.farthest, 2**17).astype(int))
    mantissa, shift = exp_table(config)(u)
    down = shift - (config.widths.sum_fraction - config.widths.mantissa_bits + 1)
    assert down.max() <= 0
    assert down.max() == 0 or config.path.nearest > 0  # by how much the top lies above the range
    terms = Accumulate.of(config).align(mantissa, shift)
    assert (terms >> -down == mantissa).all()
    assert (np.diff(terms) <= 0).all()


@pytest.mark.parametrize("config", EXACT.values(), ids=EXACT)
def test_the_longest_row_at_the_range_s_ends_fits_the_sum(config):
    total = Accumulate.of(config)
    for distance in (config.path.nearest, config.path.farthest):
        mantissa, shift = exp_table(config)(np.full(config.max_length, distance))
        term = Fraction(int(mantissa[0]), 2 ** (config.widths.mantissa_bits - 1 + int(shift[0])))
        most = total(mantissa, shift).item()
        assert Fraction(most, 2**total.fraction) == term * config.max_length
        assert most.bit_length() <= total.sum_bits <= 63


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_no_row_s_sum_is_below_the_least_exponent_which_is_one_too_low_at_most(config):
    """The least row is one element: the maximum, or one of those farthest from the top."""
    lowest = lowest_exponent(config)
    if config.datapath == "max_subtract":
        assert lowest == 0
        return
    distances = np.arange(
        max(config.path.farthest - 5000, config.path.nearest), config.path.farthest + 1
    )
    mantissa, shift = (part.tolist() for part in exp_table(config)(distances))
    least = min(
        Fraction(m, 2 ** (config.widths.mantissa_bits - 1 + k))
        for m, k in zip(mantissa, shift, strict=True)
    )
    assert Fraction(2) ** lowest <= least < Fraction(2) ** (lowest + 2)
