"""Units whose sum has a window: every bit, at every code, in every order, within the bounds."""

import re

import mpmath
import numpy as np
import pytest

from softmaxfx.golden import (
    SQ,
    UQ,
    ConfigError,
    bound_ulp,
    cross_entropy,
    loss_bound,
    preset,
    softmax,
    softmax_backward,
)
from softmaxfx.golden.stages.accumulate import Accumulate, lowest_exponent
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.golden.stages.leading_one import significand
from softmaxfx.golden.stages.window import Window
from softmaxfx.golden.units.softmax import softmax_rows

CONFIGS = {
    "full": preset("full"),
    "SQ(6, 10)": preset("full", input=SQ(6, 10)),
    "few codes": preset("full", input=SQ(7, 1)),
    "whole numbers": preset("full", input=SQ(8, 0)),
    "24 bits": preset("full", input=SQ(8, 16)),
    "512": preset("full", input=SQ(10, 6), loss=UQ(11, 8)),
    "base unclipped": preset("full", input=SQ(5, 11)),
    "odd scale": preset("full", scale=0.3),
    "steep": preset("full", scale=3.3, loss=UQ(11, 8)),
    "clipped": preset("full", input=SQ(7, 9), range=30, clip="input"),
    "longest": preset("full", max_length=65536),
    "8 bits out": preset("full", output=UQ(0, 8)),
    "20 bits out": preset("full", output=UQ(0, 20)),
    "one element": preset("full", max_length=1),
    "tables by hand": preset("full", exp_split=(9, 7), mantissa_bits=20),
    "wide mantissas": preset("full", input=SQ(8, 4), mantissa_bits=28),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
LOG = {"function": "log_softmax"}
LOGS = {
    "full": preset("full", **LOG, output=SQ(10, 6)),
    "fine": preset("full", **LOG, output=SQ(10, 14)),
    "few codes": preset("full", **LOG, input=SQ(7, 1), output=SQ(9, 5)),
    "steep": preset("full", **LOG, scale=3.3, output=SQ(11, 7), max_length=20),
    "clipped": preset("full", **LOG, input=SQ(7, 9), range=30, clip="input", output=SQ(8, 8)),
}
each_log = pytest.mark.parametrize("config", LOGS.values(), ids=LOGS)


def ends(config):
    """The least and the largest code that is not clipped."""
    return config.lowest, config.highest


def drawn(config, count, length, rng):
    """Rows of codes: anywhere, within a window's width of one another, at limbs' borders."""
    low, high = ends(config)
    power = np.log(2) / (config.scale * config.input.lsb)  # codes that halve an exponential
    wide = rng.integers(low, high, (count, length), endpoint=True)
    near = rng.integers(low, high, (count, 1)) - rng.uniform(0, 50 * power, (count, length))
    limbs = rng.integers(0, 5, (count, length)) * 16 * power
    limbs = rng.integers(low, high, (count, 1)) - limbs + rng.integers(-2, 3, (count, length))
    kinds = np.stack([wide, near.astype(np.int64), limbs.astype(np.int64)])
    return np.clip(kinds[rng.integers(0, 3, count), np.arange(count)], low, high)


# the bits


@each
def test_every_bit_is_that_of_the_independent_unit(config, twin):
    rng = np.random.default_rng(1)
    for length in sorted({min(n, config.max_length) for n in (1, 2, 3, 7, 30, 300)}):
        rows = drawn(config, max(400 // length, 3), length, rng)
        mask = rng.random(rows.shape) < rng.choice([0, 0.3, 0.9], (len(rows), 1))
        pairs = zip(rows.tolist(), mask.tolist(), strict=True)
        np.testing.assert_array_equal(
            softmax(rows, config, mask), [twin(config).softmax(*pair) for pair in pairs]
        )


@pytest.mark.parametrize("name", ["full", "few codes", "whole numbers"])
def test_an_element_alone_has_the_largest_probability_at_every_code(name):
    config = CONFIGS[name]
    codes = np.arange(config.input.min_code, config.input.max_code + 1)[:, None]
    rows = softmax_rows(codes, config)
    assert (rows.p == config.one).all()
    assert not rows.clipped.any()


@pytest.mark.parametrize("name", ["full", "few codes", "whole numbers"])
def test_pairs_of_the_largest_code_and_every_code_have_the_independent_unit_s_bits(name, twin):
    config = CONFIGS[name]
    codes = np.arange(config.input.min_code, config.input.max_code + 1)
    rows = np.stack([codes, np.full_like(codes, config.input.max_code)], axis=1)
    p = softmax(rows, config)
    assert (np.diff(p[:, 0]) >= 0).all()
    # far below the largest all are the same: of these, some
    seen = np.union1d(np.arange(0, len(codes), 41), np.flatnonzero(p[:, 0] > 0))
    gold = [twin(config).softmax(row) for row in rows[seen].tolist()]
    np.testing.assert_array_equal(p[seen], gold)


def test_the_longest_row_of_one_code_shares_the_sum_equally():
    config = CONFIGS["longest"]
    for code in (*ends(config), 0, 77):
        assert (softmax(np.full(65536, code), config) == 1).all()


# the order


@pytest.mark.parametrize("name", ["full", "few codes", "steep", "clipped", "wide mantissas"])
def test_rows_in_another_order_have_the_same_bits(name):
    permuted(CONFIGS[name], count=20_000)


@pytest.mark.long
@pytest.mark.parametrize("name", ["full", "512"])
def test_a_million_rows_in_another_order_have_the_same_bits(name):
    permuted(CONFIGS[name], count=1_000_000)


def permuted(config, count):
    rng = np.random.default_rng(2)
    step = 20_000
    for _ in range(0, count, step):
        length = int(rng.integers(2, 12))
        rows = drawn(config, step, length, rng)
        mask = rng.random(rows.shape) < rng.choice([0, 0.4], (step, 1))
        order = rng.permuted(np.broadcast_to(np.arange(length), rows.shape), axis=1)
        moved, hidden = (np.take_along_axis(part, order, axis=1) for part in (rows, mask))
        p = np.take_along_axis(softmax(rows, config, mask), order, axis=1)
        np.testing.assert_array_equal(softmax(moved, config, hidden), p)


@each
def test_a_larger_logit_never_gets_the_smaller_probability_and_equal_ones_get_equal(config):
    rng = np.random.default_rng(3)
    for length in sorted({min(n, config.max_length) for n in (1, 2, 3, 17)}):
        x = np.sort(drawn(config, 500, length, rng), axis=1)
        p = softmax(x, config)
        assert (np.diff(p) >= 0).all()
        assert (np.diff(p)[np.diff(x) == 0] == 0).all()
        assert p.max(axis=1).min() >= config.one // length


@pytest.mark.parametrize("name", ["base", "int8", "tight"])
def test_a_window_that_no_row_leaves_gives_what_the_whole_sum_gives(name):
    """Two limbs: then nothing is dropped, and the sum is one integer as well."""
    config = preset(name, datapath="exact_sum")
    rng = np.random.default_rng(4)
    low = config.widths.sum_fraction - config.widths.mantissa_bits + 1
    assert low < 32
    for length in (1, 2, 5, 100):
        u = rng.integers(config.path.nearest, config.path.farthest, (2000, length), endpoint=True)
        pairs = exp_table(config)(u)
        fraction, lowest = config.widths.sum_fraction, lowest_exponent(config)
        whole, window = (stage.of(config)(*pairs) for stage in (Accumulate, Window))
        for kept in (10, 20, 28):
            for one, other in zip(
                significand(whole, fraction, kept, lowest),
                significand(window, fraction, kept, lowest),
                strict=True,
            ):
                np.testing.assert_array_equal(one, other)


# the logarithm, the loss and the gradient


def exact_logs(config, row):
    """Exact log softmax of a row of codes that are not clipped."""
    step = mpmath.mpf(config.scale) * mpmath.mpf(2) ** -config.input.f
    top = max(row)
    total = mpmath.log(mpmath.fsum(mpmath.exp(step * (x - top)) for x in row))
    return [step * (x - top) - total for x in row]


@each_log
def test_logarithms_keep_the_proven_bound_and_come_near_it(config):
    rng, bound, worst = np.random.default_rng(5), bound_ulp(config), 0.0
    assert 0.5 < bound < 1.2
    unit = 2**config.output.f
    for length in (1, 2, 3, 15):
        rows = drawn(config, 250, length, rng)
        for row, codes in zip(rows.tolist(), softmax(rows, config).tolist(), strict=True):
            for code, exact in zip(codes, exact_logs(config, row), strict=True):
                worst = max(worst, abs(float(code - exact * unit)))
    assert 0.45 < worst <= bound


@each_log
def test_logarithms_in_another_order_are_the_same_and_of_masked_elements_the_lowest(config):
    permuted(config, count=20_000)
    low, high = ends(config)
    x = [[low, high, 0], [low, low, high]]
    p = softmax(x, config, mask=[[False, True, True], [True, True, True]])
    assert p.tolist() == [[0] + [config.output.min_code] * 2, [config.output.min_code] * 3]


@pytest.mark.parametrize("name", ["full", "few codes", "512", "clipped"])
def test_losses_keep_the_proven_bound_and_are_of_their_order_alone(name):
    config = CONFIGS[name]
    rng, bound, worst = np.random.default_rng(6), loss_bound(config).ulp, 0.0
    assert 0.5 < bound < 1
    for length in (1, 2, 9):
        rows = drawn(config, 300, length, rng)
        target = rng.integers(0, length, len(rows))
        loss, grad = cross_entropy(rows, target, config, from_logits=True)
        for row, t, code in zip(rows.tolist(), target.tolist(), loss.tolist(), strict=True):
            exact = -exact_logs(config, row)[t] * 2**config.loss.f
            worst = max(worst, abs(float(code - min(exact, config.loss.max_code))))
        turned, back = cross_entropy(rows[:, ::-1], length - 1 - target, config, from_logits=True)
        np.testing.assert_array_equal(turned, loss)
        np.testing.assert_array_equal(back[:, ::-1], grad)
    assert 0.45 < worst <= bound


def test_the_largest_loss_of_the_full_preset_is_the_whole_range():
    config = preset("full")
    low, high = ends(config)
    loss, grad = cross_entropy([[low, high]], [0], config, from_logits=True)
    assert loss.tolist() == [(high - low) << (config.loss.f - config.input.f)]
    assert grad.tolist() == [[-(2**16), 2**16 - 1]]


def test_a_loss_format_that_does_not_hold_the_range_is_refused():
    config = preset("full", loss=UQ(8, 11))
    sentence = "loss must hold 2 * range * scale + ln max_length and an LSB, 262.93, not UQ(8, 11)"
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        cross_entropy([[1, 2]], [0], config, from_logits=True)


@pytest.mark.parametrize("name", ["full", "longest", "20 bits out"])
def test_probabilities_are_taken_back_though_their_window_dropped_what_it_can(name):
    """One element, and all others just below what the window keeps: their sum is above 1."""
    config = CONFIGS[name]
    distances = np.arange(config.path.nearest, config.path.reach + 1)
    place = Window.of(config).largest_place - exp_table(config)(distances)[1]
    least = distances[place == 10 * 16].max()  # of those that start at the border of a limb
    dropped = distances[place == 8 * 16 - 1].min()
    row = np.full(config.max_length, config.path.origin - dropped)
    row[5] = config.path.origin - least
    p = softmax(row, config)
    assert p[5] == config.one
    dp = np.zeros(config.max_length, np.int64)
    assert not softmax_backward(p, dp, config).any()


# the error


@pytest.mark.parametrize("name", CONFIGS)
def test_the_bound_holds_where_a_window_drops_the_most(name):
    config = CONFIGS[name]
    if name == "24 bits":
        config = config.replace(input=SQ(8, 10))
    rng, bound = np.random.default_rng(7), bound_ulp(config)
    step = np.longdouble(config.scale) * np.longdouble(2) ** -config.input.f
    low, high = ends(config)
    power = np.log(2) / float(step)
    worst = 0.0
    for length in sorted({min(n, config.max_length) for n in (1, 2, 3, 40, 1000, 65536)}):
        count = max(4000 // length, 16)
        top = rng.integers(low, high, (count, 1), endpoint=True)
        below = rng.choice([0, 0.5, 1, 5, 16, 30, 31, 32, 33, 34], (count, 1)) * power
        rows = top - (below + rng.integers(-2, 3, (count, 1)) * power / 8).astype(np.int64)
        rows = np.repeat(rows, length, axis=1)
        rows[:, :1] = top
        rows = rows.clip(low, high)
        e = np.exp((rows - rows.max(axis=1, keepdims=True)) * step)
        exact = np.minimum(e / e.sum(axis=1, keepdims=True) * 2**config.output.f, config.one)
        worst = max(worst, float(np.abs(softmax(rows, config) - exact).max()))
    assert worst <= bound + 1e-6
    assert worst >= 0.4 if config.max_length > 1 else worst == 0


def test_the_full_preset_is_proven_to_err_by_at_most_nine_tenths_of_an_lsb():
    assert 0.5 < bound_ulp(preset("full")) <= 0.90
