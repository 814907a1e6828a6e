"""P (dP - D) against exact fractions: rounded once, up with the right chance, saturated."""

import re
from fractions import Fraction
from math import floor

import numpy as np
import pytest

from softmaxfx.golden import PRESETS, SQ, UQ, ConfigError, SoftmaxConfig, preset
from softmaxfx.golden.stages.gradient import Gradient

CONFIGS = {
    **PRESETS,
    "no guard": preset("base", dot_guard=0),
    "many guard bits": preset("base", dot_guard=16),
    "finer output": preset("int8", grad_output=SQ(1, 15)),
    "coarser output": preset("base", grad_output=SQ(1, 4)),
    "one bit dropped": preset("int8", output=UQ(0, 9), grad_output=SQ(1, 16), dot_guard=1),
    "32 bits dropped": preset("base", grad_output=SQ(3, 3), dot_guard=4),
    "narrower range": preset("base", grad_input=SQ(4, 12), grad_output=SQ(1, 15)),
    "one held": preset("int8", output=UQ(1, 8)),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def product(config, stage, p, dp, d):
    """P (dP - D) as a fraction, in LSB of the output."""
    below = Fraction(dp, 2**config.grad_input.f) - Fraction(d, 2**stage.dot.output.f)
    return Fraction(p, 2**config.output.f) * below * 2**config.grad_output.f


def draw(config, stage, count, rng):
    """Codes of P, dP and D, at the ends of their formats in a share of all."""
    codes = []
    for fmt in (config.output, config.grad_input, stage.dot.output):
        drawn = rng.integers(fmt.min_code, fmt.max_code, count, endpoint=True)
        near = rng.integers(-8, 9, count).clip(fmt.min_code, fmt.max_code)
        ends = rng.choice([fmt.min_code, fmt.max_code, 0], count)
        kinds = np.stack([drawn, near, ends])
        codes.append(kinds[rng.integers(0, 3, count), np.arange(count)])
    return codes


def saturated(config, code):
    clamped = min(max(code, config.grad_output.min_code), config.grad_output.max_code)
    return clamped, clamped != code


@each
def test_the_nearest_code_half_up(config):
    rng = np.random.default_rng(1)
    stage = Gradient.of(config)
    p, dp, d = draw(config, stage, 3000, rng)
    ds, beyond = stage(p, dp, d)
    for *codes, gate, flag in zip(*(a.tolist() for a in (p, dp, d, ds, beyond)), strict=True):
        exact = product(config, stage, *codes)
        assert (gate, flag) == saturated(config, floor(exact + Fraction(1, 2))), codes


@each
def test_random_bits_are_added_to_what_is_dropped(config):
    """Up where the dropped fraction and the random one reach 1: with that fraction's chance."""
    rng = np.random.default_rng(2)
    config = config.replace(rounding="stochastic")
    stage = Gradient.of(config)
    p, dp, d = draw(config, stage, 3000, rng)
    bits = rng.integers(0, 2**stage.drop, p.size)
    bits[:500], bits[500:1000] = 0, 2**stage.drop - 1
    ds, beyond = stage(p, dp, d, bits)
    for *codes, bit, gate, flag in zip(
        *(a.tolist() for a in (p, dp, d, bits, ds, beyond)), strict=True
    ):
        exact = product(config, stage, *codes)
        assert (gate, flag) == saturated(config, floor(exact + Fraction(bit, 2**stage.drop)))
        if not flag:
            assert abs(gate - exact) < 1


def test_all_random_bits_together_have_no_bias():
    """Exhaustive: the mean over every value of the bits is the exact product."""
    config = SoftmaxConfig(
        input=SQ(3, 1), range=2, output=UQ(0, 4), grad_input=SQ(1, 3), grad_output=SQ(3, 2),
        max_length=3, rounding="stochastic",
    )  # fmt: skip
    stage = Gradient.of(config)
    bits = np.arange(2**stage.drop)
    for p in range(16):
        for dp in range(-8, 8):
            for d in (-17, -3, 0, 5, 16):
                ds, _ = stage(np.array(p), np.array(dp), np.array(d), bits)
                assert Fraction(int(ds.sum()), bits.size) == product(config, stage, p, dp, d)


@each
def test_the_dropped_bits_are_those_between_the_product_and_the_output(config):
    stage = Gradient.of(config)
    fraction = config.output.f + config.grad_input.f + config.dot_guard
    assert stage.product_fraction == fraction
    assert stage.drop == fraction - config.grad_output.f


@each
def test_an_element_of_probability_0_has_gradient_0(config):
    stage = Gradient.of(config)
    ends = np.array([config.grad_input.min_code, config.grad_input.max_code])
    d = np.array([stage.dot.output.max_code, stage.dot.output.min_code])
    zero = np.zeros(2, np.int64)
    for bits in (None, zero, zero + 2**stage.drop - 1):
        rounding = "nearest" if bits is None else "stochastic"
        stage = Gradient.of(config.replace(rounding=rounding))
        ds, beyond = stage(zero, ends, d, bits)
        assert not ds.any()
        assert not beyond.any()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"grad_input": SQ(2, 10), "output": UQ(0, 4), "grad_output": SQ(1, 15)},
            "grad_output must drop 1 to 32 bits of P (dP - D), which has 15 fraction bits, not 0 "
            "(SQ(1, 15))",
        ),
        (
            {"grad_input": SQ(2, 8), "output": UQ(0, 4), "grad_output": SQ(1, 15)},
            "grad_output must drop 1 to 32 bits of P (dP - D), which has 13 fraction bits, not -2 "
            "(SQ(1, 15))",
        ),
        (
            {"dot_guard": 4, "grad_output": SQ(14, 2)},
            "grad_output must drop 1 to 32 bits of P (dP - D), which has 35 fraction bits, not 33 "
            "(SQ(14, 2))",
        ),
        (
            {"output": UQ(0, 4), "dot_guard": 5},
            "dot_guard must be at most the 4 fraction bits of output, not 5",
        ),
    ],
)
def test_formats_that_cannot_work_are_refused_in_a_sentence(fields, sentence):
    config = SoftmaxConfig(**fields)
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        Gradient.of(config)
