"""1 / S of every sum that the table can tell apart."""

import numpy as np
import pytest

from softmaxfx.golden import UQ, SoftmaxConfig, preset
from softmaxfx.golden.accumulate import Accumulate
from softmaxfx.golden.reciprocal import reciprocal_table
from softmaxfx.hdl.reciprocal import Reciprocal

from .streams import pipelined

CONFIGS = {
    "base": preset("base"),
    "int8": preset("int8"),
    "one element": preset("int8", max_length=1),
    "odd length": preset("int8", max_length=1000),
    "just a power of two": preset("int8", max_length=4),
    "just below it": preset("int8", max_length=3),
    "finer than the sum": preset("int8", max_length=5, reciprocal_index=12, reciprocal_step=16),
    "flat segments": preset("int8", reciprocal_bits=4, reciprocal_index=12, reciprocal_step=1),
    "two segments": preset("int8", reciprocal_index=1),
    "widest": preset("base", output=UQ(0, 24), max_length=65536, reciprocal_bits=28),
}


def check(config: SoftmaxConfig, total: np.ndarray) -> None:
    golden = reciprocal_table(config)
    dut = Reciprocal(golden=golden, sum_bits=Accumulate.of(config).sum_bits)
    gate = pipelined(dut, {"i": total}, ["r", "q"], latency=Reciprocal.latency)
    np.testing.assert_array_equal(gate, golden(total))


@pytest.mark.parametrize("name", ["int8", "just below it", "two segments"])
def test_every_table_input_gives_goldens_reciprocal(name):
    config = CONFIGS[name]
    golden, rng = reciprocal_table(config), np.random.default_rng(11)
    kept, places = golden.index + golden.step, config.max_length.bit_length()
    s = np.arange(1 << kept) + (1 << kept)
    below = golden.fraction + rng.integers(0, places, s.size) - kept
    rest = rng.integers(0, 1 << np.maximum(below, 0))
    total = np.where(below >= 0, (s << np.maximum(below, 0)) + rest, s >> np.maximum(-below, 0))
    check(config, total)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_sums_around_powers_of_two_the_largest_and_0_give_goldens_reciprocal(config):
    one = 1 << config.widths.sum_fraction
    largest = config.max_length * one
    powers = one << np.arange(config.max_length.bit_length())
    edges = (powers[:, None] + np.arange(-5, 6)).ravel()
    rng = np.random.default_rng(12)
    sums = rng.integers(one, largest + 1, 1000)
    near = one + rng.integers(0, one, 1000)
    total = np.concatenate([edges, sums, near, [0, one, largest, 2 * one - 1]])
    check(config, total[(total == 0) | ((total >= one) & (total <= largest))])


def test_a_reciprocal_follows_each_valid_sum_8_cycles_later():
    valid = np.random.default_rng(13).integers(0, 2, 100)
    dut = Reciprocal(golden=reciprocal_table(CONFIGS["int8"]), sum_bits=33)
    (gate,) = pipelined(dut, {"i_valid": valid}, ["o_valid"], latency=8)
    np.testing.assert_array_equal(gate, valid)
