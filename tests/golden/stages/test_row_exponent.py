"""The exponent of a row: the largest that keeps its largest result below 1, found by trying."""

from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden import (
    SQ,
    ConfigError,
    bound_ulp,
    cross_entropy,
    preset,
    softmax,
    softmax_backward,
)
from softmaxfx.golden.measures.metrics import error_ulp
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.reciprocal import reciprocal_table
from softmaxfx.golden.units.softmax import softmax_rows

CONFIGS = {
    f"{name} {datapath}": preset(name, datapath=datapath, output_exponent="row")
    for name in ("int8", "base", "full", "tiny")
    for datapath in ("max_subtract", "exact_sum")
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def some_rows(config, count, length, seed):
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.uniform(-4, 3, (count, 1)))
    return config.input.quantize(rng.normal(0, 1, (count, length)) * spread)


def leading(value: Fraction, bits: int) -> Fraction:
    """A positive number without what lies below so many bits behind its leading one."""
    place = 0
    while value >= 2 ** (place + 1):
        place += 1
    while value < Fraction(2) ** place:
        place -= 1
    unit = Fraction(2) ** (place - bits)
    return value // unit * unit


def exponent_by_trying(config, row) -> int:
    """From the terms of a row, added as fractions."""
    stage, table = exp_table(config), reciprocal_table(config)
    low, high = config.lowest, config.highest
    codes = np.clip(row, low, high)
    origin = config.path.origin
    u = np.minimum((codes.max() if origin is None else origin) - codes, config.path.reach)
    terms = [
        Fraction(int(m), 1 << (config.widths.mantissa_bits - 1)) / (1 << int(k))
        for m, k in zip(*stage(u), strict=True)
    ]
    lsb = Fraction(1, 1 << config.widths.sum_fraction)
    total = sum(term // lsb * lsb for term in terms)
    first = sum(config.widths.exp_split[1:])
    nearest = np.array([int(u.min()) >> first << first])
    (m,), (k,) = stage(nearest)
    largest = Fraction(int(m), 1 << (config.widths.mantissa_bits - 1)) / (1 << int(k))
    total = leading(total, table.index + table.step)
    s = 0
    while largest * 2 ** (s + 1) < total:
        s += 1
    return s


@each
def test_the_exponent_is_the_largest_that_keeps_the_largest_result_below_1(config):
    for length in (1, 2, 3, 17, min(config.max_length, 300)):
        rows = some_rows(config, 30, length, 1)
        gate = softmax_rows(rows, config).exponent
        assert gate.tolist() == [exponent_by_trying(config, row) for row in rows]


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_the_largest_result_of_one_table_has_its_leading_bit(datapath):
    """What one table gives of the largest element is exact, so no bit of the output is idle."""
    config = preset("int8_row", datapath=datapath)
    for length in (2, 30, 1024):
        p = softmax(some_rows(config, 500, length, 2), config)
        assert p.max(axis=-1).min() >= 128


@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
@pytest.mark.parametrize(("length", "sigma"), [(1024, 1.0), (1024, 0.1), (256, 1.0)])
def test_eight_bits_keep_the_mass_of_long_rows(length, sigma, datapath):
    config = preset("int8_row", datapath=datapath)
    rows = np.random.default_rng(3).normal(0, sigma, (400, length))
    result = softmax_rows(config.input.quantize(rows), config)
    sums = np.ldexp(config.output.to_float(result.p).sum(axis=-1), -result.exponent)
    assert 0.995 <= sums.mean() <= 1.005
    plain = softmax(config.input.quantize(rows), config.replace(output_exponent="none"))
    assert abs(sums.mean() - 1) < abs(config.output.to_float(plain).sum(axis=-1).mean() - 1) / 10


@each
def test_errors_are_within_the_bound_in_lsb_of_the_row(config):
    for length in (2, 3, 40, min(config.max_length, 500)):
        rows = some_rows(config, 200, length, 4)
        result, active = softmax_rows(rows, config), np.ones(rows.shape, bool)
        errors = error_ulp(result.p, rows, active, config, result.exponent)
        assert np.abs(errors).max() <= bound_ulp(config)


@each
def test_equal_elements_have_the_largest_exponent_there_is_and_one_has_none(config):
    equal = np.zeros((1, config.max_length), np.int64)
    assert softmax_rows(equal, config).exponent == [config.most_exponent]
    assert config.most_exponent < 1 << config.exponent_bits
    assert softmax_rows([[5]], config).exponent == [0]
    assert softmax_rows([[5, 3]], config, mask=[[True, True]]).exponent == [0]


@each
def test_rows_of_exponent_0_are_those_of_no_exponent(config):
    rows = some_rows(config, 300, 5, 5)
    result = softmax_rows(rows, config)
    plain = softmax_rows(rows, config.replace(output_exponent="none"))
    alike = result.exponent == 0
    assert alike.any()
    assert not plain.exponent.any()
    assert np.array_equal(result.p[alike], plain.p[alike])


@each
def test_gradients_of_a_loss_have_the_row_s_exponent(config):
    config = config.replace(clip_gradient="pass")
    rows = some_rows(config, 50, 20, 6)
    result = softmax_rows(rows, config)
    target = np.arange(50) % 20
    loss, grad = cross_entropy(rows, target, config)
    plain_loss, _ = cross_entropy(rows, target, config.replace(output_exponent="none"))
    assert np.array_equal(loss, plain_loss)
    one = 1 << config.output.f + result.exponent[:, None]
    p = grad + np.where(np.arange(20) == target[:, None], one, 0)
    assert np.array_equal(np.minimum(p, config.one), result.p)  # p = 1 has a code in a gradient
    assert config.loss_grad == SQ(1 + config.most_exponent, config.output.f)


@each
def test_the_backward_unit_takes_exponents_with_p(config):
    rng = np.random.default_rng(7)
    result = softmax_rows(some_rows(config, 80, 30, 7), config)
    dp = rng.integers(-60, 60, result.p.shape)
    ds = softmax_backward(result.p, dp, config, exponent=result.exponent)
    p = np.ldexp(config.output.to_float(result.p), -result.exponent[:, None])
    real = config.grad_input.to_float(dp)
    exact = p * (real - (p * real).sum(axis=-1, keepdims=True))
    errors = ds - np.ldexp(exact, config.grad_output.f + result.exponent[:, None])
    assert np.abs(errors).max() <= 1


def test_log_probabilities_have_no_exponent():
    with pytest.raises(
        ConfigError,
        match="output_exponent must be none for log_softmax, whose results are no shares of 1, "
        "not 'row'",
    ):
        preset("base", function="log_softmax", output=SQ(6, 10), output_exponent="row")
    with pytest.raises(ConfigError, match="output_exponent must be one of none, row, not 'column'"):
        preset("base", output_exponent="column")


def test_p_without_its_exponents_is_refused():
    config = preset("int8_row")
    result = softmax_rows(np.zeros((3, 8), np.int64), config)
    dp = np.zeros((3, 8), np.int64)
    with pytest.raises(ValueError, match="exponent must be given with p where output_exponent is"):
        softmax_backward(result.p, dp, config)
    with pytest.raises(ValueError, match=r"exponent must be integers of shape \(3,\), one a row"):
        softmax_backward(result.p, dp, config, exponent=[1, 2])
    with pytest.raises(ValueError, match="exponent must be from 0 to 15, not 2 to 16"):
        softmax_backward(result.p, dp, config, exponent=[2, 16, 3])
    with pytest.raises(
        ValueError, match="exponent must not be given where output_exponent is none"
    ):
        softmax_backward(result.p, dp, preset("int8"), exponent=result.exponent)
