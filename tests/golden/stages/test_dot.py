"""D against exact fractions, at the ends of its formats and between."""

import re
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import PRESETS, SQ, UQ, ConfigError, SoftmaxConfig, preset
from softmaxfx.golden.stages.dot import Dot

MULTIPLIER = 18
CONFIGS = {
    **PRESETS,
    "no guard": preset("base", dot_guard=0),
    "guard of all of P": preset("int8", dot_guard=8),
    "one bit left": preset("int8", dot_guard=7),
    "many guard bits": preset("base", dot_guard=16),
    "widest factor": preset("base", grad_input=SQ(3, 15)),
    "as wide as a multiplier": preset("base", grad_input=SQ(1, 14), dot_guard=1),
    "one bit too wide": preset("base", grad_input=SQ(1, 15), dot_guard=1),
    "whole numbers": preset("int8", grad_input=SQ(8, 0), grad_output=SQ(8, 0)),
    "one held": preset("int8", output=UQ(1, 8)),
    "small": SoftmaxConfig(
        input=SQ(3, 1), range=2, output=UQ(0, 3), grad_input=SQ(1, 3), max_length=5
    ),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def exact(config, p, dp):
    """(D in LSB of its format, whether it was saturated), by fractions, one element at a time."""
    total = sum(
        (
            Fraction(a, 2**config.output.f) * Fraction(b, 2**config.grad_input.f)
            for a, b in zip(p, dp, strict=True)
        ),
        Fraction(0),
    )
    code = floor(total * 2 ** (config.grad_input.f + config.dot_guard) + Fraction(1, 2))
    bits = config.grad_input.width + config.dot_guard
    # dP - D has a bit more than the wider of the two: twice dP's range if it fits a multiplier then
    bits += bits + 2 <= MULTIPLIER
    clamped = min(max(code, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)
    return clamped, clamped != code


def draw(config, count, length, rng):
    """Codes of P and dP: any, few, or at the ends of their formats."""
    p, dp = config.output, config.grad_input
    probabilities = np.stack(
        [
            rng.integers(0, p.max_code, (count, length), endpoint=True),
            rng.integers(0, 4, (count, length)),
            rng.choice([0, 1, p.max_code], (count, length)),
            rng.multinomial(min(2**p.f, p.max_code), np.ones(length) / length, count),
        ]
    )
    gradients = np.stack(
        [
            rng.integers(dp.min_code, dp.max_code, (count, length), endpoint=True),
            rng.integers(-3, 4, (count, length)),
            rng.choice([dp.min_code, -1, 0, 1, dp.max_code], (count, length)),
        ]
    )
    rows = np.arange(count)
    return probabilities[rng.integers(0, 4, count), rows], gradients[
        rng.integers(0, 3, count), rows
    ]


@each
def test_d_is_the_exact_sum_rounded_half_up_once_and_saturated(config):
    rng = np.random.default_rng(1)
    stage = Dot.of(config)
    for length in (1, 2, 3, 8, 40):
        if length > config.max_length:
            continue
        p, dp = draw(config, 200 if length < 10 else 60, length, rng)
        d, beyond = stage(p, dp)
        assert d.shape == beyond.shape == (len(p), 1)
        gold = [exact(config, *rows) for rows in zip(p.tolist(), dp.tolist(), strict=True)]
        assert list(zip(d[:, 0].tolist(), beyond[:, 0].tolist(), strict=True)) == gold


def test_the_draws_above_saturate_and_tie():
    """What the comparison is worth: it meets the cases that matter."""
    rng = np.random.default_rng(1)
    config = CONFIGS["no guard"]
    p, dp = draw(config, 4000, 8, rng)
    _, beyond = Dot.of(config)(p, dp)
    ties = (p * dp).sum(axis=1) % 2**16 == 2**15
    assert beyond.sum() > 20
    assert ties.sum() > 5


@pytest.mark.parametrize(("total", "code"), [(4, 1), (3, 0), (-4, 0), (-5, -1), (12, 2), (-12, -1)])
def test_half_an_lsb_rounds_up(total, code):
    """P in eighths and no guard: D's LSB is eight of the products'."""
    stage = Dot.of(CONFIGS["small"].replace(dot_guard=0))
    d, _ = stage(np.array([[1, 1]]), np.array([[total - total // 2, total // 2]]))
    assert d.tolist() == [[code]]


@each
def test_the_sum_holds_max_length_full_scale_products_and_is_no_wider(config):
    stage = Dot.of(config)
    most = config.max_length * (2**config.output.width - 1)
    low = most * -(2 ** (config.grad_input.width - 1))
    assert -(2 ** (stage.sum_bits - 1)) <= low < -(2 ** (stage.sum_bits - 2))


WIDEST = {
    "longest row of wide factors": SoftmaxConfig(
        output=UQ(0, 24), grad_input=SQ(1, 17), grad_output=SQ(1, 17), max_length=65536
    ),
    "63 bits": SoftmaxConfig(
        output=UQ(5, 24), grad_input=SQ(18, 0), grad_output=SQ(18, 0), max_length=65536, dot_guard=8
    ),
}


@pytest.mark.parametrize("config", [*CONFIGS.values(), *WIDEST.values()], ids=[*CONFIGS, *WIDEST])
def test_full_scale_products_of_the_longest_row_never_wrap(config):
    stage = Dot.of(config)
    n, p = config.max_length, config.output.max_code
    for dp in (config.grad_input.min_code, config.grad_input.max_code):
        d, beyond = stage(np.full((1, n), p), np.full((1, n), dp))
        total = Fraction(n * p * dp, 2**stage.drop)
        code = floor(total + Fraction(1, 2))
        clamped = min(max(code, stage.output.min_code), stage.output.max_code)
        assert (d.item(), beyond.item()) == (clamped, clamped != code)
        assert np.sign(d.item()) == np.sign(dp)
    assert stage.sum_bits <= 63


def test_the_widest_sum_there_may_be_is_met():
    assert Dot.of(WIDEST["63 bits"]).sum_bits == 63


@each
def test_d_has_its_guard_bits_and_twice_the_range_where_a_multiplier_allows_it(config):
    stage = Dot.of(config)
    dp = config.grad_input
    assert stage.output.signed
    assert stage.output.f == dp.f + config.dot_guard
    wide = stage.output.i == dp.i + 1
    assert wide == (dp.width + config.dot_guard + 2 <= MULTIPLIER)
    assert stage.output.i - wide == dp.i
    # dP - D of any two codes, and of no fewer bits
    span = (dp.max_code << config.dot_guard) - stage.output.min_code
    assert span <= stage.difference.max_code
    assert stage.difference.width == stage.output.width + 1
    assert stage.difference.width <= MULTIPLIER or not wide


def test_the_two_sides_of_the_multiplier_s_width_are_both_met():
    fits, beyond = (CONFIGS[name] for name in ("as wide as a multiplier", "one bit too wide"))
    assert Dot.of(fits).difference.width == MULTIPLIER
    assert Dot.of(beyond).output.i == beyond.grad_input.i


def test_d_of_a_probability_s_row_does_not_saturate():
    """P that sums to no more than 1: D is an average of dP."""
    rng = np.random.default_rng(2)
    for config in (CONFIGS["base"], CONFIGS["many guard bits"], CONFIGS["one held"]):
        for length in (1, 2, 9, 100):
            p = rng.multinomial(2**config.output.f, np.ones(length) / length, 200)
            p = np.minimum(p, config.output.max_code)
            for ends in (config.grad_input.min_code, config.grad_input.max_code):
                d, beyond = Dot.of(config)(p, np.full_like(p, ends))
                assert not beyond.any()
                assert (np.abs(d) <= -config.grad_input.min_code << config.dot_guard).all()


@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 255), st.integers(-128, 127)), min_size=1, max_size=1024
    ),
    guard=st.integers(0, 8),
)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_row_that_hypothesis_makes_up_has_the_exact_d(pairs, guard):
    config = preset("int8", dot_guard=guard)
    p, dp = zip(*pairs, strict=True)
    d, beyond = Dot.of(config)(np.array([p]), np.array([dp]))
    assert (d.item(), beyond.item()) == exact(config, p, dp)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"output": UQ(0, 4), "dot_guard": 5},
            "dot_guard must be at most the 4 fraction bits of output, not 5",
        ),
        (
            {"output": UQ(6, 24), "grad_input": SQ(1, 17), "max_length": 65536},
            "grad_input, output and max_length must have a sum of products of at most 63 bits, "
            "not 64 (SQ(1, 17), UQ(6, 24), 65536)",
        ),
    ],
)
def test_formats_that_cannot_work_are_refused_in_a_sentence(fields, sentence):
    config = SoftmaxConfig(**fields)
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        Dot.of(config)
