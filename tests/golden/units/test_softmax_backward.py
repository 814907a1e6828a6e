"""The backward unit: bit for bit P (dP - D) by fractions, and never beyond its proven bound."""

import itertools
import re
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import (
    PRESETS,
    SQ,
    UQ,
    ConfigError,
    SoftmaxConfig,
    backward_bound_ulp,
    preset,
    softmax,
    softmax_backward,
    softmax_rows,
)
from softmaxfx.golden.proofs.reciprocal import reciprocal_error
from softmaxfx.golden.stages.dither import random_bits
from softmaxfx.golden.units.softmax_backward import BLOCK, backward_rows

CONFIGS = {
    **PRESETS,
    "no guard": preset("base", dot_guard=0),
    "many guard bits": preset("base", dot_guard=16),
    "guard of all of P": preset("int8", dot_guard=8),
    "one held": preset("base", output=UQ(1, 16)),
    "coarser output": preset("base", grad_output=SQ(2, 6)),
    "finer output": preset("int8", grad_output=SQ(1, 13)),
    "narrower output": preset("base", grad_input=SQ(4, 12), grad_output=SQ(1, 15)),
    "widest gradients": preset("base", grad_input=SQ(3, 15), grad_output=SQ(3, 15)),
    "passed": preset("base", clip_gradient="pass"),
    "stochastic": preset("base", rounding="stochastic"),
    "stochastic int8": preset("int8", rounding="stochastic", dot_guard=3),
    "stochastic, passed": preset("base", rounding="stochastic", clip_gradient="pass"),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
TINY = {
    "no guard": SoftmaxConfig(
        input=SQ(3, 1), range=2, output=UQ(0, 3), grad_input=SQ(1, 3), grad_output=SQ(1, 3),
        dot_guard=0, max_length=3,
    ),
    "one guard bit": SoftmaxConfig(
        input=SQ(3, 1), range=2, output=UQ(0, 4), grad_input=SQ(1, 2), grad_output=SQ(1, 3),
        max_length=3,
    ),
    "fine output": SoftmaxConfig(
        input=SQ(3, 1), range=2, output=UQ(1, 2), grad_input=SQ(2, 2), grad_output=SQ(3, 3),
        dot_guard=2, max_length=3,
    ),
    "coarse output": SoftmaxConfig(
        input=SQ(3, 1), range=2, output=UQ(0, 4), grad_input=SQ(2, 2), grad_output=SQ(2, 1),
        dot_guard=0, max_length=3,
    ),
}  # fmt: skip
"""Units of so few codes that every row of two and three elements can be tried."""
MULTIPLIER = 18


def held_in(code, bits):
    return min(max(code, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)


def expected(config, p, dp, clipped, seed=0, row=0):
    """(dS, saturated) of a row, by fractions, from the specification."""
    d_fraction = config.grad_input.f + config.dot_guard
    d_bits = config.grad_input.width + config.dot_guard
    d_bits += d_bits + 2 <= MULTIPLIER
    p_lsb, dp_lsb = Fraction(1, 2**config.output.f), Fraction(1, 2**config.grad_input.f)
    total = sum(a * p_lsb * b * dp_lsb for a, b in zip(p, dp, strict=True))
    exact_d = floor(total * 2**d_fraction + Fraction(1, 2))
    d = held_in(exact_d, d_bits)
    drop = config.output.f + d_fraction - config.grad_output.f
    ds, saturated = [], []
    for place, (a, b, out) in enumerate(zip(p, dp, clipped, strict=True)):
        value = a * p_lsb * (b * dp_lsb - Fraction(d, 2**d_fraction)) * 2**config.grad_output.f
        if out and config.clip_gradient == "zero":
            value = Fraction(0)
        up = Fraction(1, 2)
        if config.rounding == "stochastic":
            up = Fraction(int(random_bits(seed, row, place, drop)), 2**drop)
        code = floor(value + up)
        ds.append(held_in(code, config.grad_output.width))
        saturated.append(ds[-1] != code or d != exact_d)
    return ds, saturated


def draw(config, count, length, rng):
    """(P, dP): probabilities or any codes, with gradients of any size or at the format's ends."""
    one = min(2**config.output.f, config.output.max_code)
    shape, fmt = (count, length), config.grad_input
    p = np.stack(
        [
            rng.multinomial(one, np.ones(length) / length, count),
            rng.multinomial(one, rng.dirichlet(np.full(length, 0.2)), count),
            rng.permuted(np.where(np.arange(length) > 0, 0, np.full(shape, one)), axis=1),
            rng.integers(0, config.output.max_code, shape, endpoint=True),
            np.full(shape, one // length),
        ]
    )
    dp = np.stack(
        [
            rng.integers(fmt.min_code, fmt.max_code, shape, endpoint=True),
            rng.integers(-2, 3, shape),
            rng.choice([fmt.min_code, fmt.max_code], shape),
            np.full(shape, fmt.min_code),
            np.full(shape, fmt.max_code),
        ]
    )
    rows = np.arange(count)
    return p[rng.integers(0, 5, count), rows], dp[rng.integers(0, 5, count), rows]


def ulp_errors(config, p, dp, ds):
    """dS less P (dP - sum P dP), in LSB of dS; exact in integers, but for the last division."""
    one = 2**config.output.f
    below = p * (dp * one - (p * dp).sum(axis=-1, keepdims=True))
    unit = 2.0 ** (2 * config.output.f + config.grad_input.f - config.grad_output.f)
    fmt = config.grad_output
    return ds - np.clip(below / unit, fmt.min_code, fmt.max_code)


def flags(*shape):
    return np.zeros(shape, bool)


@each
def test_every_bit_and_flag_is_that_of_fractions(config):
    rng = np.random.default_rng(1)
    for length, count in ((1, 20), (2, 60), (3, 60), (8, 20), (50, 4)):
        p, dp = draw(config, count, length, rng)
        clipped = rng.random(p.shape) < 0.2
        seed, first = int(rng.integers(2**32)), int(rng.integers(2**32 - 100))
        rows = backward_rows(p, dp, config, clipped, seed=seed, first_row=first)
        for k in range(count):
            codes = p[k].tolist(), dp[k].tolist(), clipped[k].tolist()
            ds, saturated = expected(config, *codes, seed, first + k)
            assert rows.ds[k].tolist() == ds, codes
            assert rows.saturated[k].tolist() == saturated, codes


@each
def test_the_rows_that_are_compared_saturate(config):
    rng = np.random.default_rng(2)
    p, dp = draw(config, 2000, 8, rng)
    rows = backward_rows(p, dp, config, flags(2000, 8))
    whole = rows.saturated.all(axis=1)
    assert whole.any()
    if config in (CONFIGS["narrower output"], CONFIGS["no guard"]):
        assert (rows.saturated.any(axis=1) & ~whole).any()


@given(
    row=st.lists(
        st.tuples(st.integers(0, 255), st.integers(-128, 127), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    seed=st.integers(0, 2**32 - 1),
    fields=st.fixed_dictionaries(
        {
            "rounding": st.sampled_from(["nearest", "stochastic"]),
            "clip_gradient": st.sampled_from(["zero", "pass"]),
            "dot_guard": st.integers(0, 8),
        }
    ),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_row_that_hypothesis_makes_up_is_that_of_fractions(row, seed, fields):
    config = preset("int8", **fields)
    p, dp, clipped = zip(*row, strict=True)
    rows = backward_rows(
        np.array([p]), np.array([dp]), config, np.array([clipped]), seed=seed, first_row=3
    )
    ds, saturated = expected(config, p, dp, clipped, seed, 3)
    assert (rows.ds[0].tolist(), rows.saturated[0].tolist()) == (ds, saturated)


# what the gradient of a softmax does


def probabilities(config, shape, rng, spread=3.0):
    """(p, mask) of random logits, some of them masked."""
    mask = rng.random(shape) < 0.2
    x = config.input.quantize(rng.normal(0, spread, shape))
    return softmax(x, config, mask), mask


@pytest.mark.parametrize("name", ["base", "int8", "one held", "stochastic"])
def test_a_probability_of_0_has_gradient_0(name):
    config = CONFIGS[name]
    rng = np.random.default_rng(3)
    p, mask = probabilities(config, (200, 12), rng)
    dp = rng.integers(config.grad_input.min_code, config.grad_input.max_code, p.shape)
    ds = softmax_backward(p, dp, config, seed=4)
    assert (ds[mask] == 0).all()
    assert (ds[p == 0] == 0).all()
    assert ds.any()


def test_a_clipped_element_has_gradient_0_and_counts_for_d():
    p = np.array([[20000, 25536, 20000]])
    dp = np.array([[3000, -30000, 7000]])
    plain = softmax_backward(p, dp, preset("base"))
    clipped = softmax_backward(p, dp, preset("base"), clipped=[[False, True, False]])
    assert plain[0, 1] != 0
    assert clipped.tolist() == [[plain[0, 0], 0, plain[0, 2]]]
    passed = softmax_backward(
        p, dp, preset("base", clip_gradient="pass"), clipped=[[False, True, False]]
    )
    np.testing.assert_array_equal(passed, plain)
    everywhere = softmax_backward(p, dp, preset("base"), clipped=True)
    assert not everywhere.any()
    for broadcast in ([False, True, False], None, False):
        ds = softmax_backward(p, dp, preset("base"), clipped=broadcast)
        np.testing.assert_array_equal(ds, plain if not broadcast else clipped)


def test_a_clipped_element_is_never_told_as_saturated_but_with_its_row():
    config = CONFIGS["narrower output"]
    p, dp = np.array([[30000, 35536]]), np.array([[32767, -32768]])
    clipped = np.array([[True, False]])
    assert backward_rows(p, dp, config, flags(1, 2)).saturated.all()
    assert backward_rows(p, dp, config, clipped).saturated.tolist() == [[False, True]]
    p = np.full((1, 9), 65535)
    rows = backward_rows(p, np.full((1, 9), 32767), config, np.ones((1, 9), bool))
    assert rows.saturated.all()
    assert not rows.ds.any()


def test_a_gradient_that_all_elements_share_does_nothing():
    """Where P sums to 1: D rises by as much as every dP."""
    rng = np.random.default_rng(5)
    for config in (CONFIGS["base"], CONFIGS["int8"], CONFIGS["no guard"], CONFIGS["stochastic"]):
        p = rng.multinomial(2**config.output.f, np.ones(9) / 9, 300)
        high = config.grad_input.max_code // 2
        dp = rng.integers(-high, high, p.shape)
        ds = backward_rows(p, dp, config, flags(*p.shape)).ds
        for shift in (-high, -1, 1, high):
            shifted = backward_rows(p, dp + shift, config, flags(*p.shape))
            np.testing.assert_array_equal(shifted.ds, ds)


def test_permuted_rows_give_permuted_gradients():
    rng = np.random.default_rng(6)
    for config in (CONFIGS["base"], CONFIGS["int8"]):
        p, dp = draw(config, 200, 30, rng)
        order = rng.permuted(np.broadcast_to(np.arange(30), p.shape), axis=1)
        given = [np.take_along_axis(array, order, axis=1) for array in (p, dp)]
        gate = backward_rows(*given, config, flags(200, 30)).ds
        gold = np.take_along_axis(backward_rows(p, dp, config, flags(200, 30)).ds, order, axis=1)
        np.testing.assert_array_equal(gate, gold)


# the bound


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@each
def test_the_bound_is_half_or_a_whole_lsb_and_d_s_half_times_the_largest_p(config, rounding):
    config = config.replace(rounding=rounding)
    largest = Fraction(config.output.max_code, 2**config.output.f)
    half_of_d = Fraction(1, 2 ** (config.grad_input.f + config.dot_guard + 1))
    own = 0.5 if rounding == "nearest" else 1.0
    assert backward_bound_ulp(config) == own + float(largest * half_of_d * 2**config.grad_output.f)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("name", TINY)
def test_every_row_there_is_errs_by_no_more_than_the_bound(name, length, rounding):
    config = TINY[name].replace(rounding=rounding)
    p_codes = np.arange(config.output.max_code + 1)
    dp_codes = np.arange(config.grad_input.min_code, config.grad_input.max_code + 1)
    if length == 3:  # up to the order of its elements, and the first one largest in P
        p_codes = p_codes[:: 2 if rounding == "stochastic" else 1]
    ps = np.array(list(itertools.combinations_with_replacement(p_codes, length)))
    dps = np.array(list(itertools.product(dp_codes, repeat=length)))
    if length == 3:
        dps = dps[::3]
    p, dp = np.repeat(ps, len(dps), axis=0), np.tile(dps, (len(ps), 1))
    rows = backward_rows(p, dp, config, flags(*p.shape))
    one = 2**config.output.f
    d = (p * dp).sum(axis=1) / one
    # a row whose D saturates is flagged whole; that of any other is the nearest there is
    d_codes = np.floor(d * 2**config.dot_guard + 0.5)
    bits = config.grad_input.width + config.dot_guard
    bits += bits + 2 <= MULTIPLIER
    beyond = (d_codes < -(2 ** (bits - 1))) | (d_codes >= 2 ** (bits - 1))
    assert rows.saturated[beyond].all()
    errors = np.abs(ulp_errors(config, p, dp, rows.ds))[~beyond]
    assert errors.max() <= backward_bound_ulp(config)
    if length > 1 and rounding == "nearest":
        # where D drops nothing of the sum, there is the last rounding alone
        rounds = config.dot_guard < config.output.f
        assert errors.max() >= (0.85 * backward_bound_ulp(config) if rounds else 0.5)


SEARCHED = [
    "base", "int8", "tiny", "wide", "no guard", "many guard bits", "guard of all of P",
    "coarser output", "finer output", "one held", "stochastic", "stochastic int8",
]  # fmt: skip


@pytest.mark.parametrize("name", SEARCHED)
def test_adversarial_rows_stay_within_the_bound_and_come_near_it(name):
    config = CONFIGS[name]
    bound, worst = backward_bound_ulp(config), 0.0
    for p, dp in adversarial(config, np.random.default_rng(7)):
        rows = backward_rows(p, dp, config, flags(*p.shape), seed=99)
        d = (p * dp).sum(axis=1) / 2.0 ** (config.output.f + config.grad_input.f)
        # an average of dP: D of none of these rows saturates
        assert np.abs(d).max() <= 2.0 ** (config.grad_input.i - 1)
        errors = np.abs(ulp_errors(config, p, dp, rows.ds))
        assert errors.max() <= bound + 1e-9
        worst = max(worst, errors.max())
    own = 0.5 if config.rounding == "nearest" else 1.0
    one = min(1.0, 2.0**config.output.i)  # the bound is for any codes, P = 2 as well
    assert worst >= 0.96 * (own + (bound - own) * one / 2.0**config.output.i)


def adversarial(config, rng):
    """Rows of P that sum to no more than 1, with gradients at and near the ends of their format."""
    one, fmt = min(2**config.output.f, config.output.max_code), config.grad_input
    ends = np.array([fmt.min_code, fmt.max_code])
    for length in (1, 2, 3, 5, 64, config.max_length):
        count = max(20000 // length, 40)
        dps = [
            rng.integers(fmt.min_code, fmt.max_code, (count, length), endpoint=True),
            rng.choice(ends, (count, length)),
            np.broadcast_to(ends[rng.integers(0, 2, (count, 1))], (count, length)),
            np.broadcast_to(ends[np.arange(length) % 2], (count, length)),
        ]
        hot = rng.permuted(
            np.where(np.arange(length) > 0, 0, np.full((count, length), one)), axis=1
        )
        equal = np.full((count, length), one // length)
        # a P near 1, so that D's error counts in full, whose product still has a fraction
        share = (hot * np.exp2(rng.uniform(-11, -5, (count, 1)))).astype(np.int64)
        almost = hot - share + np.roll(share, 1, axis=1)
        drawn = rng.multinomial(one, np.ones(length) / length, count)
        uneven = np.stack(
            [rng.multinomial(one, rng.dirichlet(np.full(length, 0.3))) for _ in range(40)]
        )
        for p in (hot, equal, almost, drawn, uneven[rng.integers(0, 40, count)]):
            for dp in dps:
                yield p, dp


def test_one_hot_rows_have_no_gradient_but_that_of_p_s_last_lsb():
    """P is 1 and D is dP: what is left is the LSB that P's format lacks."""
    for config in (CONFIGS["base"], CONFIGS["int8"]):
        p = np.zeros((4, 6), int)
        p[:, 2] = config.output.max_code
        dp = np.array([[config.grad_input.min_code] * 6, [config.grad_input.max_code] * 6] * 2)
        dp[2:, ::2] = 0
        ds = softmax_backward(p, dp, config)
        assert np.abs(ds[:, 2]).max() <= 1
        assert not np.delete(ds, 2, axis=1).any()
    wide = CONFIGS["one held"]
    assert not softmax_backward(np.eye(5, dtype=int) * 65536, np.full((5, 5), -32768), wide).any()


WIDE_P = SoftmaxConfig(
    output=UQ(16, 16), grad_input=SQ(18, 0), grad_output=SQ(18, 0), dot_guard=16, max_length=64
)


@pytest.mark.parametrize(
    ("config", "p", "dp"),
    [
        (CONFIGS["base"], [65535] * 1024, [-32768] * 1024),
        (CONFIGS["base"], [65535] * 1024, [32767] * 1024),
        (CONFIGS["int8"], [255] * 1024, [-128] * 1024),
        (preset("base", max_length=65536), [65535] * 65536, [-32768] * 65536),
        (preset("int8", max_length=65536, dot_guard=8), [255] * 65536, [127] * 65536),
        (preset("base", output=UQ(0, 24), max_length=4096), [2**24 - 1] * 4096, [32767] * 4096),
    ],
    ids=["base", "base, positive", "int8", "longest", "longest int8", "wide P"],
)
def test_full_scale_rows_of_the_longest_length_saturate_without_wrapping(config, p, dp):
    rows = backward_rows(np.array([p]), np.array([dp]), config, flags(1, len(p)))
    assert rows.saturated.all()
    ds, saturated = expected(config, p[:2000], dp[:2000], [False] * len(p[:2000]))
    assert all(saturated)  # D has long saturated: more elements change nothing
    assert rows.ds[0, :2000].tolist() == ds


def test_products_wider_than_the_integers_are_refused():
    """P's many integer bits and many guard bits: the product would wrap."""
    with pytest.raises(ConfigError, match=r"must have P \(dP - D\) of at most 63 bits, not 6\d"):
        backward_rows(np.ones((1, 2), int), np.ones((1, 2), int), WIDE_P, flags(1, 2))


# stochastic rounding


@pytest.mark.parametrize("name", ["stochastic", "stochastic int8"])
def test_the_mean_over_seeds_and_over_rows_is_the_exact_gradient(name):
    config = CONFIGS[name]
    rng = np.random.default_rng(8)
    draws = 4000
    p = rng.multinomial(2**config.output.f - 1, np.ones(16) / 16, 1)
    high = config.grad_input.max_code
    dp = rng.integers(-high, high, p.shape)
    over_rows = softmax_backward(np.repeat(p, draws, 0), np.repeat(dp, draws, 0), config, seed=1)
    over_seeds = np.concatenate(
        [softmax_backward(p, dp, config, seed=seed, first_row=5) for seed in range(1500)]
    )
    # of P (dP - D), D as the unit has it: what D's own rounding does is no matter of chance
    d = np.floor((p * dp).sum() / 2.0 ** (config.output.f - config.dot_guard) + 0.5)
    product = p * (dp * 2.0**config.dot_guard - d)
    exact = product * 2.0 ** (
        config.grad_output.f - config.output.f - config.grad_input.f - config.dot_guard
    )
    for ds in (over_rows, over_seeds):
        deviation = np.sqrt((exact % 1) * (1 - exact % 1) / len(ds))
        assert (np.abs(ds.mean(axis=0) - exact[0]) <= 4.5 * deviation + 1e-12).all()
        assert set(np.unique(ds - np.floor(exact)).tolist()) <= {0, 1}
    # the nearest code errs by more than chance does, and always to one side
    nearest = softmax_backward(p, dp, config.replace(rounding="nearest"))
    assert np.abs(nearest - exact).max() > 10 * deviation.max()


def test_errors_of_neighbouring_elements_and_rows_are_uncorrelated():
    config = CONFIGS["stochastic"]
    rng = np.random.default_rng(9)
    p = np.repeat(rng.multinomial(2**16 - 1, np.ones(32) / 32, 1), 2000, axis=0)
    dp = np.repeat(rng.integers(-30000, 30000, (1, 32)), 2000, axis=0)
    ds = softmax_backward(p, dp, config, seed=3)
    errors = (ds - ds.mean(axis=0)) / np.maximum(ds.std(axis=0), 1e-9)
    for one, other in ((errors[:, 1:], errors[:, :-1]), (errors[1:], errors[:-1])):
        assert abs((one * other).mean()) < 5 / one.size**0.5


def test_bits_depend_on_seed_row_number_and_element_alone():
    config = CONFIGS["stochastic"]
    rng = np.random.default_rng(10)
    p = rng.multinomial(2**16 - 1, np.ones(24) / 24, 30)
    dp = rng.integers(-30000, 30000, p.shape)
    ds = softmax_backward(p, dp, config, seed=17, first_row=1000)
    for k in (0, 7, 29):
        alone = softmax_backward(p[k], dp[k], config, seed=17, first_row=1000 + k)
        np.testing.assert_array_equal(alone, ds[k])
    shaped = softmax_backward(
        p.reshape(2, 5, 3, 24), dp.reshape(2, 5, 3, 24), config, seed=17, first_row=1000
    )
    np.testing.assert_array_equal(shaped.reshape(30, 24), ds)
    # elements that take no part change nothing before them
    longer = [np.pad(array, ((0, 0), (0, 9))) for array in (p, dp)]
    padded = softmax_backward(*longer, config, seed=17, first_row=1000)
    np.testing.assert_array_equal(padded[:, :24], ds)
    assert (softmax_backward(p, dp, config, seed=18, first_row=1000) != ds).any()
    assert (softmax_backward(p, dp, config, seed=17, first_row=1001) != ds).any()
    nearest = config.replace(rounding="nearest")
    np.testing.assert_array_equal(
        softmax_backward(p, dp, nearest, seed=1), softmax_backward(p, dp, nearest, seed=2)
    )


@pytest.mark.parametrize("length", [2, 1000, 1024])
def test_rows_are_numbered_across_the_blocks_that_they_are_computed_in(length):
    config = preset("base", rounding="stochastic")
    rng = np.random.default_rng(11)
    count = BLOCK // length + 3
    p = np.zeros((count, length), np.int64)
    p[:, :2] = 32768, 32767
    dp = np.zeros_like(p)
    dp[:, :2] = rng.integers(-30000, 30000, (count, 2))
    ds = softmax_backward(p, dp, config, seed=5, first_row=70000)
    for k in (0, BLOCK // length - 1, BLOCK // length, count - 1):
        codes = p[k, :2].tolist(), dp[k, :2].tolist()
        gold, _ = expected(config, *codes, [False] * 2, 5, 70000 + k)
        assert ds[k, :2].tolist() == gold
    assert not ds[:, 2:].any()


def test_row_numbers_start_again_after_32_bits():
    config = CONFIGS["stochastic"]
    p, dp = np.full((2, 4), 16384), np.array([[12345, -2345, 999, 31000]] * 2)
    ds = softmax_backward(p, dp, config, seed=9, first_row=2**32 - 1)
    np.testing.assert_array_equal(ds[1], softmax_backward(p[0], dp[0], config, seed=9))


# what the unit is given


def test_rows_may_have_any_leading_axes_and_none():
    config = preset("int8")
    p, dp = np.full((2, 3, 4), 64), np.arange(24).reshape(2, 3, 4)
    ds = softmax_backward(p, dp, config)
    assert ds.shape == (2, 3, 4)
    assert ds.dtype == np.int64
    np.testing.assert_array_equal(ds[1, 2], softmax_backward(p[1, 2], dp[1, 2], config))
    assert softmax_backward(np.zeros((0, 4), int), np.zeros((0, 4), int), config).shape == (0, 4)
    assert softmax_backward([128, 128], [-128, 127], config).tolist() == [-64, 64]


def test_a_caller_s_arrays_are_left_as_they_were():
    arrays = [np.array([[100, 156]]), np.array([[5, -7]]), np.array([[True, False]])]
    copies = [array.copy() for array in arrays]
    softmax_backward(*arrays[:2], preset("int8"), clipped=arrays[2])
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


FITTING = [name for name in CONFIGS if name != "wide"]  # its proof takes long


@pytest.mark.parametrize("name", FITTING)
def test_probabilities_of_the_softmax_unit_are_taken_whatever_their_row(name):
    config = CONFIGS[name]
    rng = np.random.default_rng(12)

    def taken(rows, mask=None):
        result = softmax_rows(rows, config, mask)
        exponent = result.exponent if config.has_exponent else None
        softmax_backward(result.p, np.zeros_like(result.p), config, exponent=exponent)

    for length in (2, 3, 17, config.max_length):
        for spread in (0.01, 1, 6):
            logits = config.input.quantize(rng.normal(0, spread, (20, length)))
            taken(logits, np.arange(20)[:, None] == 0)  # a row of masked elements alone
        hot = np.full((1, length), config.input.min_code)
        hot[0, -1] = config.input.max_code
        taken(hot)
        taken(np.zeros_like(hot))


@pytest.mark.parametrize(
    "name",
    ["base", "int8", "tiny", "tight", "one held"],
)
def test_the_probability_of_an_element_alone_is_taken(name):
    config = CONFIGS[name]
    p = softmax([[5], [-7]], config)
    assert np.abs(softmax_backward(p, [[100], [-100]], config)).max() <= 1


@pytest.mark.parametrize(
    ("rows", "row"),
    [([[32768, 32768], [1000, 2000]], 1), ([[65535, 65535]], 0), ([[1, 0]], 0)],
)
def test_rows_that_are_no_probabilities_are_refused_by_number(rows, row):
    config = preset("base")
    total = sum(rows[row]) / 65536
    with pytest.raises(ValueError, match=r"^p must have rows that sum to 1 within ") as caught:
        softmax_backward(rows, np.zeros((len(rows), 2), int), config)
    assert str(caught.value).endswith(f"not {total:.4g} (row {row})")


def test_sums_are_held_against_the_error_that_rounding_and_the_reciprocal_have():
    """As many codes as they may err together are taken, and hardly more: two are refused."""
    config = preset("base")
    for length in (8, 100, 1000):
        inverted = max(map(abs, reciprocal_error(config))) * 65536
        allowed = floor(length / 2 + inverted + 1)
        for sign in (-1, 1):
            p = np.full(length, 65536 // length)
            p[0] += 65536 % length
            p[:allowed] += sign
            softmax_backward(p, np.zeros(length, int), config)
            p[-2:] += sign
            with pytest.raises(ValueError, match="sum to 1"):
                softmax_backward(p, np.zeros(length, int), config)


GOOD = [[32768, 32768]]
REFUSED = {
    "another shape": (
        (GOOD, [[1, 2, 3]]),
        {},
        "dp must have p's shape (1, 2), not (1, 3)",
    ),
    "fewer axes": ((GOOD, [1, 2]), {}, "dp must have p's shape (1, 2), not (2,)"),
    "real p": (
        ([[0.5, 0.5]], [[1, 2]]),
        {},
        "p must be an array of integer codes with rows along the last axis, not 2 dimensions of "
        "float64",
    ),
    "real dp": (
        (GOOD, [[0.5, 0.5]]),
        {},
        "dp must be an array of integer codes with rows along the last axis, not 2 dimensions of "
        "float64",
    ),
    "booleans": (
        ([[True, False]], [[1, 2]]),
        {},
        "p must be an array of integer codes with rows along the last axis, not 2 dimensions of "
        "bool",
    ),
    "a number": (
        (3, 3),
        {},
        "p must be an array of integer codes with rows along the last axis, not 0 dimensions of "
        "int64",
    ),
    "negative p": (
        ([[-1, 65535]], [[1, 2]]),
        {},
        "p must hold codes of UQ(0, 16) (0 to 65535), not -1 to 65535",
    ),
    "p of 1": (
        ([[65536, 0]], [[1, 2]]),
        {},
        "p must hold codes of UQ(0, 16) (0 to 65535), not 0 to 65536",
    ),
    "large dp": (
        (GOOD, [[32768, 0]]),
        {},
        "dp must hold codes of SQ(1, 15) (-32768 to 32767), not 0 to 32768",
    ),
    "small dp": (
        (GOOD, [[-32769, 0]]),
        {},
        "dp must hold codes of SQ(1, 15) (-32768 to 32767), not -32769 to 0",
    ),
    "long row": (
        ([[0] * 1025], [[0] * 1025]),
        {},
        "p must have rows of 1 to max_length = 1024 elements, not 1025",
    ),
    "empty row": (
        (np.zeros((2, 0), int), np.zeros((2, 0), int)),
        {},
        "p must have rows of 1 to max_length = 1024 elements, not 0",
    ),
    "negative seed": ((GOOD, [[1, 2]]), {"seed": -1}, "seed must be from 0 to 2^32 - 1, not -1"),
    "large seed": (
        (GOOD, [[1, 2]]),
        {"seed": 2**32},
        "seed must be from 0 to 2^32 - 1, not 4294967296",
    ),
    "negative row": (
        (GOOD, [[1, 2]]),
        {"first_row": -1},
        "first_row must be from 0 to 2^32 - 1, not -1",
    ),
    "large row": (
        (GOOD, [[1, 2]]),
        {"first_row": 2**40},
        "first_row must be from 0 to 2^32 - 1, not 1099511627776",
    ),
}


@pytest.mark.parametrize(("arrays", "options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_the_unit_cannot_take_is_refused_in_a_sentence(arrays, options, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        softmax_backward(*arrays, preset("base"), **options)


@pytest.mark.parametrize("clipped", [[[True, False, True]], [[True], [False], [True]]])
def test_clipped_of_another_shape_is_refused(clipped):
    with pytest.raises(ValueError, match="broadcast"):
        softmax_backward(np.repeat(GOOD, 2, 0), [[1, 2]] * 2, preset("base"), clipped=clipped)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"function": "log_softmax", "output": SQ(6, 10)},
            "function must be softmax for softmax_backward, not log_softmax",
        ),
        (
            {"dot_guard": 9, "output": UQ(0, 8), "grad_output": SQ(1, 7)},
            "dot_guard must be at most the 8 fraction bits of output, not 9",
        ),
    ],
)
def test_configurations_without_a_backward_unit_are_refused(fields, sentence):
    config = SoftmaxConfig(**fields)
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        softmax_backward([[0, 0]], [[1, 2]], config)
