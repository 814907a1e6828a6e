"""The loss of every row: golden's bits, those of plain integers, and the loss itself."""

from fractions import Fraction
from math import exp

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned

from softmaxfx.golden import UQ, ConfigError, SoftmaxConfig, preset
from softmaxfx.golden.stages.accumulate import Accumulate
from softmaxfx.golden.stages.loss import loss_stage
from softmaxfx.hdl.stages.loss import Loss

from ..streams import pipelined

SIXTEENTHS = 16
"""Of an LSB of the loss: units of the logarithm."""
BASE, INT8 = preset("base"), preset("int8")
CONFIGS = {
    "base": BASE,
    "int8": INT8,
    "odd scale": BASE.replace(scale=0.3, range=9.5, loss=UQ(4, 9)),
    "steep": INT8.replace(scale=2, range=8, max_length=4, loss=UQ(6, 10)),
    "coarse": BASE.replace(loss=UQ(5, 2)),
    "fine": BASE.replace(loss=UQ(5, 16)),
    "flat": INT8.replace(scale=2.0**-30, max_length=2, loss=UQ(1, 4)),
    "difference": BASE.replace(clip="difference", range=8),
    "one element": BASE.replace(max_length=1),
    # sums can be below 1
    "exact base": BASE.replace(datapath="exact_sum"),
    "exact int8": INT8.replace(datapath="exact_sum"),
    "exact, odd range": INT8.replace(datapath="exact_sum", range=9.875, exp_split=(4, 4)),
    "exact, one element": INT8.replace(datapath="exact_sum", max_length=1),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def run(config: SoftmaxConfig, distance, ln, active, top: int | None = None) -> np.ndarray:
    """Losses of logarithms in sixteenths of an LSB, half an LSB not yet added.

    With ``top`` the stage is given codes, which lie the distance below it, and the logarithm of
    sums that are as much larger.
    """
    distance, ln = np.asarray(distance), np.asarray(ln) + SIXTEENTHS // 2
    shape = unsigned(config.path.farthest.bit_length())
    if top is not None:
        shape = signed(config.input.width)
        ln, distance = ln + top * sixteenths_of_a_step(config), top - distance
    dut = Loss(golden=loss_stage(config), distance=shape)
    inputs = {"distance": distance, "ln": ln, "active": np.asarray(active).astype(int)}
    (losses,) = pipelined(dut, inputs, ["o"], latency=dut.latency)
    return losses


def sixteenths_of_a_step(config: SoftmaxConfig) -> int | None:
    """What the loss grows by with a step of distance, where that is a power of two."""
    step = Fraction(config.scale) * Fraction(config.input.lsb) * SIXTEENTHS * 2**config.loss.f
    whole = step.denominator == 1 and step.numerator.bit_count() == 1
    return step.numerator if whole else None


def rows_of(config: SoftmaxConfig, count: int = 700) -> tuple[np.ndarray, np.ndarray]:
    """(distance, sum) of rows that there can be, those with the least and the largest loss too."""
    rng, stage = np.random.default_rng(120), Accumulate.of(config)
    lsb, one = config.scale * config.input.lsb, 1 << stage.fraction
    distance = rng.integers(config.path.nearest, config.path.farthest + 1, count)
    distance[:4] = (
        config.path.nearest,
        config.path.farthest,
        config.path.nearest,
        config.path.farthest,
    )
    largest = one if config.datapath == "max_subtract" else exp(-lsb * config.path.nearest) * one
    others = rng.integers(0, config.max_length, count)
    others[:4] = config.max_length - 1, config.max_length - 1, 0, 0
    own = np.exp(-lsb * distance) * one
    if config.datapath == "max_subtract":  # the maximum is one of the row
        own = np.maximum(own, one) if config.max_length == 1 else np.where(others, own, one)
        distance[others == 0] = 0
        own[others > 0] += one
        others = np.maximum(others - 1, 0)
    total = own + others * largest * rng.choice([0.0, 0.01, 0.5, 1.0, 1.0], count)
    total[:4] = own[:4] + others[:4] * largest
    return distance, np.ceil(total).astype(np.int64)


@each
def test_rows_give_goldens_bits_and_the_loss_itself(config):
    stage, rng = loss_stage(config), np.random.default_rng(121)
    distance, total = rows_of(config)
    active = rng.random(distance.size) < 0.9
    active[:4] = True
    losses = run(config, distance, stage.log.ln(total), active)
    gold = np.where(active, stage(distance, total), 0)
    np.testing.assert_array_equal(losses, gold)
    lsb = config.scale * config.input.lsb
    value = np.log(np.ldexp(total.astype(float), -config.widths.sum_fraction)) + lsb * distance
    exact = np.clip(np.ldexp(value, config.loss.f), 0, config.loss.max_code)
    # rounding, and a sixteenth for each of the distance's and the logarithm's last places
    assert np.abs(losses - exact)[active].max() <= 0.5 + 3 / 16
    assert not losses[~active].any()
    if config.max_length > 1:
        assert losses.max() > 0.9 * config.loss.quantize(
            lsb * (config.path.farthest - config.path.nearest)
        )


@pytest.mark.parametrize("name", [name for name in CONFIGS if "exact" in name])
def test_a_code_and_the_logarithm_of_the_whole_sum_give_the_same(name):
    config = CONFIGS[name]
    stage = loss_stage(config)
    if sixteenths_of_a_step(config) is None:
        pytest.skip("a step of distance is no power of two")
    distance, total = rows_of(config)
    active = np.random.default_rng(123).random(distance.size) < 0.9
    losses = run(config, distance, stage.log.ln(total), active, top=config.path.origin)
    np.testing.assert_array_equal(losses, np.where(active, stage(distance, total), 0))


@each
def test_any_distance_and_logarithm_give_the_sum_of_both_rounded_half_up_once(config):
    rng, log_stage = np.random.default_rng(122), loss_stage(config).log
    bits = config.path.farthest.bit_length() + 4  # fraction bits of the factor
    step = Fraction(config.scale) * Fraction(config.input.lsb) * 2**config.loss.f
    factor = round(step * 2**bits)
    highest = (1 << (log_stage.ln.width - log_stage.ln.signed)) - SIXTEENTHS
    lowest = -highest if log_stage.ln.signed else 0
    distance = rng.integers(0, config.path.farthest + 1, 900)
    ln = rng.integers(lowest, highest + 1, 900)
    ln[:40] = np.repeat([lowest, highest, 0, 1], 10)
    distance[:40:2], distance[1:40:2] = 0, config.path.farthest
    expected = []
    for u, fine in zip(distance.tolist(), ln.tolist(), strict=True):
        sixteenths = (u * factor >> (bits - 4)) + fine
        expected.append(max((sixteenths + 8) // 16, 0))
    fits = np.array(expected) <= config.loss.max_code
    losses = run(config, distance[fits], ln[fits], np.ones(fits.sum(), int))
    np.testing.assert_array_equal(losses, np.array(expected)[fits])
    assert fits.sum() > 100
    if log_stage.ln.signed:
        assert (ln[fits] + (distance[fits] * factor >> (bits - 4)) < -8).any(), "clamped to 0"


def test_a_tie_is_rounded_up_and_a_hair_less_is_not():
    ln = np.array([0, 7, 8, 23, 24, 16 * 100 + 7, 16 * 100 + 8])
    losses = run(BASE, np.zeros(ln.size, int), ln, np.ones(ln.size, int))
    assert losses.tolist() == [0, 0, 1, 1, 2, 100, 101]


TIGHT = preset("int8", max_length=1000, range=10.0, scale=1.253, loss=UQ(5, 2))
"""The largest loss there can be, 31.97, is nearest to no code below 32."""
TIGHT_ROWS = {"max_subtract": TIGHT, "exact_sum": TIGHT.replace(datapath="exact_sum")}


@pytest.mark.parametrize("config", TIGHT_ROWS.values(), ids=TIGHT_ROWS)
def test_a_loss_that_could_be_rounded_beyond_its_format_is_refused(config):
    with pytest.raises(ConfigError, match=r"loss must hold 2 .* and an LSB, 32"):
        loss_stage(config)
