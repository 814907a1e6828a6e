"""exp: every table entry against mpmath, every difference against Python's integers."""

import dataclasses

import mpmath
import numpy as np
import pytest

from softmaxfx.golden.config import PRESETS, SoftmaxConfig, preset
from softmaxfx.golden.errors import ConfigError
from softmaxfx.golden.formats import SQ, UQ
from softmaxfx.golden.proofs.bounds import error_bound
from softmaxfx.golden.stages.exp import exp_table

ODD = {
    "sqrt": preset("base", scale=1 / 8**0.5),
    "int8 quantiser": SoftmaxConfig(input=SQ(8, 0), output=UQ(0, 8), range=127, scale=0.0423),
    "difference": preset("base", clip="difference", range=16),
    "three tables": preset("base", exp_split=(5, 6, 5)),
    "uneven tables": preset("base", exp_split=(3, 12, 1), exp_bits=30),
    "narrow": SoftmaxConfig(input=SQ(2, 1), output=UQ(0, 2), range=1, max_length=2),
    "flat": preset("base", scale=2.0**-20),
    "steep": preset("base", scale=50),
    "short sum": preset("int8", sum_fraction=10),
    "widest": preset("base", scale=0.3, mantissa_bits=28, exp_bits=56),
}
EXACT = {
    "sqrt": preset("base", scale=1 / 8**0.5),
    "int8 quantiser": ODD["int8 quantiser"],
    "three tables": preset("base", exp_split=(5, 6, 5)),
    "two of four bits": preset("int8", exp_split=(4, 4)),
    "narrow": ODD["narrow"],
    "flat": preset("base", scale=0.01),
    "steep": preset("int8", scale=1.9, range=9.25, max_length=4),
    "odd range": preset("base", range=9.3125),
}
EXACT = {
    f"{name}, exact sum": config.replace(datapath="exact_sum")
    for name, config in (PRESETS | EXACT).items()
}
CONFIGS = PRESETS | ODD | EXACT
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
enumerable = pytest.mark.parametrize(
    "config",
    [config for config in CONFIGS.values() if config.path.reach < 2**17],
    ids=[name for name, config in CONFIGS.items() if config.path.reach < 2**17],
)


def assert_tables_equal(gold, gate):
    """The independent unit's exp tables and the model's, entry for entry."""
    assert list(zip(gate.high.tolist(), gate.shift.tolist(), strict=True)) == gold.high
    assert len(gate.low) == len(gold.low)
    for (_, entries, fraction), low in zip(gold.low, gate.low, strict=True):
        assert low.fraction == fraction
        assert low.entries.tolist() == entries


@each
def test_every_table_entry_is_correctly_rounded(config, twin):
    assert_tables_equal(twin(config), exp_table(config))


@pytest.mark.parametrize("field", ["high", "shift", "low"])
@pytest.mark.parametrize("step", [-1, 1])
def test_one_wrong_table_entry_is_noticed(field, step, twin):
    stage = exp_table(preset("base"))
    if field == "low":
        entries = stage.low[0].entries.copy()
        entries[77] += step
        wrong = dataclasses.replace(
            stage, low=(dataclasses.replace(stage.low[0], entries=entries),)
        )
    else:
        entries = getattr(stage, field).copy()
        entries[77] += step
        wrong = dataclasses.replace(stage, **{field: entries})
    with pytest.raises(AssertionError):
        assert_tables_equal(twin(preset("base")), wrong)


@pytest.mark.parametrize("bits", [12, 20, 400])
def test_tables_do_not_depend_on_the_caller_s_mpmath_precision(bits, twin):
    config = preset("base", scale=0.3 + bits / 1000)  # not built before
    with mpmath.workprec(bits):
        stage = exp_table(config)
    assert_tables_equal(twin(config), stage)


@enumerable
def test_every_difference_gives_the_mantissa_and_shift_of_the_recurrence(config, twin):
    gold = [twin(config).exp(u) for u in range(config.path.reach + 1)]
    mantissa, shift = exp_table(config)(np.arange(config.path.reach + 1))
    np.testing.assert_array_equal(mantissa, [m for m, _ in gold])
    np.testing.assert_array_equal(shift, [k for _, k in gold])


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_wide_differences_give_the_mantissa_and_shift_of_the_recurrence(twin, datapath):
    config = preset("wide", datapath=datapath)
    rng = np.random.default_rng(4)
    borders = np.arange(0, config.path.reach, 2**16)[:, None] + [-1, 0, 1, 255, 256, 257]
    u = np.concatenate(
        [rng.integers(0, config.path.reach, 5000), borders.ravel(), [config.path.reach]]
    )
    u = u[u >= 0]
    gold = [twin(config).exp(int(v)) for v in u]
    np.testing.assert_array_equal(np.transpose(exp_table(config)(u)), gold)


@each
def test_exp_of_no_difference_is_exactly_one(config):
    mantissa, shift = exp_table(config)(np.array([0]))
    assert (mantissa.item(), shift.item()) == (2 ** (config.widths.mantissa_bits - 1), 0)


@each
def test_exp_never_rises_with_the_difference(config):
    """Exhaustive, in integers: m * 2^-k over all codes."""
    previous = None
    for start in range(0, config.path.reach + 1, 2**20):
        u = np.arange(start, min(start + 2**20, config.path.reach + 1))
        mantissa, shift = exp_table(config)(u)
        longest = int(exp_table(config).shift.max())
        assert config.widths.mantissa_bits + longest < 63 or longest > 34
        if config.widths.mantissa_bits + longest < 63:
            value = mantissa << (longest - shift)
        else:
            value = np.ldexp(mantissa.astype(np.float64), -shift)  # exact: 28 bits
        if previous is not None:
            assert value[0] <= previous
        assert (np.diff(value) <= 0).all()
        assert (mantissa >= 0).all()
        assert (mantissa < 1 << config.widths.mantissa_bits).all()
        previous = value[-1]


@pytest.mark.parametrize("config", [preset("base"), preset("int8"), preset("tiny")])
def test_exp_s_relative_error_at_every_code_is_within_the_range_that_is_told(config):
    """Against mpmath, over the differences whose exp is at least one output LSB."""
    low, high = error_bound(config).exp_error
    values = exp_table(config).value(np.arange(config.path.reach + 1))
    reached = []
    with mpmath.workprec(100):
        ratio, exact = mpmath.exp(-mpmath.mpf(config.scale) / 2**config.input.f), mpmath.mpf(1)
        for value in values.tolist():
            if exact < mpmath.mpf(2) ** -config.output.f:
                break
            reached.append(float(value / exact - 1))
            exact *= ratio
    assert min(reached) == pytest.approx(low, abs=1e-14)
    assert max(reached) == pytest.approx(high, abs=1e-14)


@pytest.mark.parametrize(
    "name", ["base", "int8", "tight", "sqrt", "three tables", "two of four bits", "odd range"]
)
def test_exp_s_relative_error_at_every_distance_of_an_exact_sum_is_within_the_range(name):
    """Against mpmath, from the range's top to its bottom: every term counts, however small."""
    config = EXACT[f"{name}, exact sum"]
    low, high = error_bound(config).exp_error
    distances = np.arange(config.path.nearest, config.path.farthest + 1)
    mantissa, shift = (part.tolist() for part in exp_table(config)(distances))
    reached = []
    with mpmath.workprec(100):
        step = mpmath.mpf(config.scale) / 2**config.input.f
        ratio, grown = mpmath.exp(step), mpmath.exp(step * config.path.nearest)
        for m, k in zip(mantissa, shift, strict=True):
            value = mpmath.ldexp(m, 1 - config.widths.mantissa_bits - k)
            reached.append(float(value * grown - 1))
            grown *= ratio
    assert min(reached) == pytest.approx(low, abs=1e-14)
    assert max(reached) == pytest.approx(high, abs=1e-14)
    assert low <= min(reached) <= max(reached) <= high


@pytest.mark.parametrize("config", EXACT.values(), ids=EXACT)
def test_no_distance_of_an_exact_sum_gives_nothing_or_a_shift_beyond_the_sum(config):
    u = np.unique(np.linspace(config.path.nearest, config.path.farthest, 2**17).astype(int))
    mantissa, shift = exp_table(config)(u)
    assert (mantissa > 0).all()
    assert (shift + config.widths.mantissa_bits - 1 <= config.widths.sum_fraction).all()


def test_wide_exp_s_relative_error_at_sampled_codes_is_within_the_range_that_is_told():
    config = preset("wide")
    low, high = error_bound(config).exp_error
    rng = np.random.default_rng(5)
    visible = int(np.log(2) * config.output.f / config.input.lsb)
    u = np.concatenate([rng.integers(0, visible, 3000), np.arange(300), visible - np.arange(300)])
    with mpmath.workprec(100):
        for code, value in zip(u.tolist(), exp_table(config).value(u).tolist(), strict=True):
            error = value / mpmath.exp(-mpmath.ldexp(code, -config.input.f)) - 1
            assert low - 1e-14 <= error <= high + 1e-14


@enumerable
def test_exp_s_absolute_error_is_a_few_mantissa_lsb_at_any_scale(config):
    """Half an LSB of each table and one of each product; a term below the sum's LSB may be 0."""
    tables = len(config.widths.exp_split)
    limit = (tables + 1) * 2.0 ** (1 - config.widths.mantissa_bits)
    limit += 2.0 ** -(config.widths.sum_fraction + 1)
    u = np.arange(config.path.reach + 1)
    exact = np.exp(-u.astype(np.longdouble) * np.longdouble(config.scale * config.input.lsb))
    assert np.abs(exp_table(config).value(u) - exact).max() <= limit


def test_where_exp_ends_after_one_difference_its_table_has_two_entries():
    config = preset("base", scale=2.0**20)
    assert config.path.reach == 1
    assert exp_table(config).value(np.arange(2)).tolist() == [1, 0]


def test_a_low_table_cannot_be_so_steep_that_1_minus_exp_rounds_to_1():
    """The tables end where exp does, and so does what a split adds up to."""
    sentence = r"exp_split must add up to the 1 bits of a difference, not \(8, 8\)"
    with pytest.raises(ConfigError, match=sentence):
        preset("base", scale=2.0**20, exp_split=(8, 8), exp_bits=36)


def test_exp_that_rises_somewhere_is_refused():
    """Three factors and two guard bits: the borders of the low tables stick out."""
    config = preset("base", exp_split=(2, 7, 7), exp_bits=20)
    sentence = (
        r"exp_bits must keep exp from rising; with exp_bits 20, mantissa_bits 18 and exp_split "
        r"\(2, 7, 7\) it rises at [1-9]\d* of 40960 differences"
    )
    with pytest.raises(ConfigError, match=sentence):
        exp_table(config)


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize("fraction", [2, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24])
def test_derived_widths_never_make_exp_rise(fraction, datapath):
    """No configuration is refused for a width that nobody chose."""
    for scale in (1, 0.5, 0.125, 128**-0.5):
        config = preset("base", output=UQ(0, fraction), scale=scale, max_length=128)
        exp_table(config.replace(datapath=datapath))
