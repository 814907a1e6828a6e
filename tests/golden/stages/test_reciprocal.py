"""The reciprocal: table entries against mpmath, results against exact fractions."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden.config import PRESETS, SoftmaxConfig, preset
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.proofs.reciprocal import reciprocal_error
from softmaxfx.golden.stages.leading_one import leading_one, significand
from softmaxfx.golden.stages.reciprocal import reciprocal_table

WHOLE = {name: config for name, config in PRESETS.items() if not config.path.window}
"""Presets whose sum is one integer; test_window.py has the others."""
CONFIGS = {
    **WHOLE,
    "coarse": preset("base", reciprocal_index=4, reciprocal_step=5),
    "narrow": SoftmaxConfig(input=SQ(3, 1), output=UQ(0, 4), range=2, max_length=3),
    "one step": preset("base", reciprocal_step=1),
    "longest": preset("base", max_length=65536, output=UQ(0, 20)),
    "many bits": preset("base", reciprocal_bits=26, reciprocal_index=7, reciprocal_step=14),
    "few bits": preset("int8", reciprocal_bits=4, reciprocal_index=6),
}
CONFIGS |= {
    f"{name}, exact sum": CONFIGS[name].replace(datapath="exact_sum")
    for name in (*WHOLE, "coarse", "narrow", "few bits")
}
CONFIGS["longest, exact sum"] = preset("base", max_length=65536, datapath="exact_sum")
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def assert_tables_equal(gold, gate):
    """The independent unit's reciprocal table and the model's, entry for entry."""
    assert gate.base.tolist() == gold.base
    assert gate.slope.tolist() == gold.slope


@each
def test_every_table_entry_is_correctly_rounded(config, twin):
    assert_tables_equal(twin(config), reciprocal_table(config))


@pytest.mark.parametrize("field", ["base", "slope"])
def test_one_wrong_table_entry_is_noticed(field, twin):
    stage = reciprocal_table(preset("base"))
    entries = getattr(stage, field).copy()
    entries[100] += 1
    with pytest.raises(AssertionError):
        assert_tables_equal(twin(preset("base")), dataclasses.replace(stage, **{field: entries}))


@each
def test_every_table_input_has_the_error_that_is_told_and_never_overflows(config):
    """Exhaustive and exact: r * S - 1 at both ends of the interval that shares a table input."""
    bits = config.widths.reciprocal_bits
    kept = config.widths.reciprocal_index + config.widths.reciprocal_step
    s = np.arange(1 << kept)
    r = reciprocal_table(config).mantissa(s)
    assert (r > 0).all()
    assert (r < 1 << bits).all()
    product_low = r * ((1 << kept) + s)  # below 2^(bits + kept + 1): exact
    product_high = r * ((1 << kept) + s + 1)
    one = 1 << (bits + kept)
    low = Fraction(int(product_low.min()) - one, one)
    high = Fraction(int(product_high.max()) - one, one)
    error = reciprocal_error(config)
    assert abs(low - Fraction(error[0])) < Fraction(1, 2**50)
    assert abs(high - Fraction(error[1])) < Fraction(1, 2**50)


@each
def test_table_inputs_give_the_segment_s_line_in_exact_integers(config, twin):
    kept = config.widths.reciprocal_index + config.widths.reciprocal_step
    rng = np.random.default_rng(6)
    s = np.arange(1 << kept) if kept <= 13 else rng.integers(0, 1 << kept, 5000)
    s = np.append(s, [0, (1 << kept) - 1])
    gold = [twin(config).r_of(int(value)) for value in s]
    assert reciprocal_table(config).mantissa(s).tolist() == gold


def least_sum(config, twin):
    """The least sum of a row: its only element is the maximum, or that at the range's bottom."""
    unit = twin(config)
    return unit.term(*unit.exp(unit.reach if unit.exact_sum else 0))


def sums(config, least):
    """Sums of every size from the least: random ones, powers of two and their neighbours."""
    most = config.max_length << config.widths.sum_fraction
    rng = np.random.default_rng(7)
    powers = [1 << k for k in range(least.bit_length() - 1, most.bit_length())]
    edges = [power + step for power in powers for step in (-1, 0, 1)]
    drawn = np.exp(rng.uniform(np.log(least), np.log(most), 3000)).astype(np.int64).tolist()
    return np.array([value for value in [*edges, *drawn, least, most] if least <= value <= most])


@each
def test_every_sum_gives_the_normalised_reciprocal(config, twin):
    totals = sums(config, least_sum(config, twin))
    r, q = reciprocal_table(config)(totals)
    gold = [twin(config).reciprocal(int(total)) for total in totals]
    assert list(zip(r.tolist(), q.tolist(), strict=True)) == gold


@each
def test_the_reciprocal_of_every_sum_is_within_the_error_that_is_told(config, twin):
    low, high = map(Fraction, reciprocal_error(config))
    slack = Fraction(1, 2**50)
    totals = sums(config, least_sum(config, twin))
    for total, r, q in zip(totals, *reciprocal_table(config)(totals), strict=True):
        exact = Fraction(int(total), 1 << config.widths.sum_fraction)
        error = r.item() * exact / Fraction(2) ** (config.widths.reciprocal_bits + q.item()) - 1
        assert low - slack <= error <= high + slack


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_the_derived_reciprocal_is_faithful(config):
    """Its error stays below one of its own LSB, relative to 1 in [1/2, 1)."""
    assert max(map(abs, reciprocal_error(config))) < 2 * 2.0**-config.widths.reciprocal_bits


def test_leading_one_is_the_place_of_the_highest_bit_of_any_code():
    powers = [1 << k for k in range(63)]
    codes = [0, *powers, *(p - 1 for p in powers), *(min(p + 1, 2**63 - 1) for p in powers)]
    rng = np.random.default_rng(8)
    codes += (rng.integers(0, 2**63 - 1, 630) >> np.arange(630) % 63).tolist()
    assert leading_one(np.array(codes)).tolist() == [c.bit_length() - 1 for c in codes]


def test_an_empty_sum_gives_no_shift():
    _, q = reciprocal_table(preset("base"))(np.array([0]))
    assert q.item() == 0


@each
def test_an_empty_sum_gives_the_least_shift(config, twin):
    least = least_sum(config, twin)
    _, (empty, q) = reciprocal_table(config)(np.array([0, least]))
    assert empty == reciprocal_table(config).lowest <= q <= 0


@pytest.mark.parametrize("lowest", [0, -1, -5, -12, -40])
@pytest.mark.parametrize("kept", [3, 12, 20])
def test_a_sum_is_normalised_to_one_and_a_fraction(lowest, kept):
    """Every small sum, and random ones of up to 63 bits, against Python's fractions."""
    fraction = max(-lowest, 12)
    rng = np.random.default_rng(9)
    long = rng.integers(0, 2**63 - 1, 500) >> np.arange(500) % 40
    totals = np.concatenate([np.arange(5000), long])
    q, s = significand(totals, fraction, kept, lowest)
    for total, exponent, rest in zip(totals.tolist(), q.tolist(), s.tolist(), strict=True):
        exact = Fraction(total, 2**fraction)
        if exact < Fraction(2) ** lowest:
            assert exponent == lowest
        else:
            mantissa = exact / Fraction(2) ** exponent
            assert 1 <= mantissa < 2
            assert rest == int((mantissa - 1) * 2**kept)
