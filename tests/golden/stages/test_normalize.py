"""p = m * r: one rounding half up, in exact integers, never above 1."""

import math
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden.config import PRESETS, preset
from softmaxfx.golden.formats import UQ
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.normalize import Normalize
from softmaxfx.golden.stages.reciprocal import reciprocal_table

CONFIGS = {
    **PRESETS,
    "one held": preset("base", output=UQ(1, 15)),
    "integer bits": preset("base", output=UQ(4, 8)),
    "smallest product": preset("base", mantissa_bits=8, reciprocal_bits=10, sum_fraction=30),
    "largest product": preset("base", mantissa_bits=28, reciprocal_bits=28, reciprocal_index=12),
}
CONFIGS |= {
    f"{name}, exact sum": CONFIGS[name].replace(datapath="exact_sum")
    for name in (*PRESETS, "one held", "integer bits")
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def factors(config, seed):
    rng = np.random.default_rng(seed)
    size = 4000
    mantissa = rng.integers(0, 1 << config.widths.mantissa_bits, size)
    shift = rng.integers(0, config.widths.sum_fraction + 2, size) * rng.integers(0, 2, size)
    bits = config.widths.reciprocal_bits
    r = rng.integers(1 << (bits - 1), 1 << bits, size)
    q = rng.integers(0, 17, size) * rng.integers(0, 2, size)
    if config.datapath == "exact_sum":  # a row's sum is at least any of its terms
        q = rng.integers(-shift, q, endpoint=True)
    return mantissa, shift, r, q


def product(config, m, k, r, q):
    """The exact product, in output LSB."""
    exact = Fraction(m * r, 2 ** (config.widths.mantissa_bits - 1 + k))
    return exact / Fraction(2) ** (config.widths.reciprocal_bits + q) * 2**config.output.f


@each
def test_the_product_is_rounded_half_up_once_and_limited_to_one(config):
    columns = factors(config, seed=1)
    gate = Normalize.of(config)(*columns)
    largest = min(2**config.output.f, 2**config.output.width - 1)
    for *values, code in zip(*(column.tolist() for column in columns), gate.tolist(), strict=True):
        exact = product(config, *values)
        assert code == min(math.floor(exact + Fraction(1, 2)), largest)


@each
def test_a_tie_goes_up(config):
    """m = r = powers of two, shifted until the product is half an LSB, then a quarter."""
    stage = Normalize.of(config)
    m = np.array([1 << (config.widths.mantissa_bits - 1)])
    r = np.array([1 << (config.widths.reciprocal_bits - 1)])
    for q in range(20):
        for k in range(30):
            exact = product(config, m.item(), k, r.item(), q)
            gate = stage(m, np.array([k]), r, np.array([q])).item()
            if exact == Fraction(1, 2):
                assert gate == 1
            elif exact < Fraction(1, 2):
                assert gate == 0


@each
def test_the_longest_shift_gives_zero(config):
    stage = Normalize.of(config)
    m = np.array([(1 << config.widths.mantissa_bits) - 1])
    r = np.array([(1 << config.widths.reciprocal_bits) - 1])
    assert stage(m, np.array([48]), r, np.array([16])).item() == 0


@each
def test_the_probability_never_falls_when_exp_rises(config):
    """Any two (m, k) with m 2^-k in order, under the same reciprocal."""
    mantissa, shift, r, q = factors(config, seed=2)
    pairs = list(zip(mantissa.tolist(), shift.tolist(), strict=True))
    order = sorted(range(len(pairs)), key=lambda i: Fraction(pairs[i][0], 1 << pairs[i][1]))
    mantissa, shift = mantissa[order], shift[order]
    for which in range(0, 200, 10):
        below = shift >= -q[which]  # no term is above the row's sum
        p = Normalize.of(config)(mantissa[below], shift[below], r[which], q[which])
        assert (np.diff(p) >= 0).all()


@pytest.mark.parametrize("name", PRESETS)
def test_no_product_with_a_distance_from_the_maximum_reaches_one(name):
    """exp, which never rises, begins with 1, and so does every row's sum; 1 / S is below 1."""
    config = preset(name, datapath="max_subtract")
    mantissa, shift = exp_table(config)(np.zeros(1, np.int64))
    assert (mantissa[0], shift[0]) == (1 << (config.widths.mantissa_bits - 1), 0)
    table = reciprocal_table(config)
    starts = np.arange(len(table.base)) << table.step  # r falls in a segment
    assert table.mantissa(starts).max() < 1 << table.bits
