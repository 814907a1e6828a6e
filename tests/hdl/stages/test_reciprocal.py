"""1 / S of every sum that the table can tell apart."""

import numpy as np
import pytest

from softmaxfx.golden import UQ, SoftmaxConfig, preset
from softmaxfx.golden.stages.reciprocal import reciprocal_table
from softmaxfx.hdl.stages.row_scalar import SumFunctions
from softmaxfx.hdl.targets.generic import ROM_STYLES

from ..streams import scalars

INT8, BASE = preset("int8"), preset("base")
CONFIGS = {
    "base": BASE,
    "int8": INT8,
    "tight": preset("tight"),
    "one element": INT8.replace(max_length=1),
    "odd length": INT8.replace(max_length=1000),
    "just a power of two": INT8.replace(max_length=4),
    "just below it": INT8.replace(max_length=3),
    "finer than the sum": INT8.replace(max_length=5, reciprocal_index=12, reciprocal_step=16),
    "flat segments": INT8.replace(reciprocal_bits=4, reciprocal_index=12, reciprocal_step=1),
    "two segments": INT8.replace(reciprocal_index=1),
    "widest": BASE.replace(output=UQ(0, 24), max_length=65536, reciprocal_bits=28),
    # sums can be below 1
    "exact base": BASE.replace(datapath="exact_sum"),
    "exact int8": INT8.replace(datapath="exact_sum"),
    "exact, bits lost": INT8.replace(datapath="exact_sum", exp_split=(4, 4)),
    "exact, one element": INT8.replace(datapath="exact_sum", max_length=1),
    "exact, one LSB of range": INT8.replace(datapath="exact_sum", range=0.125, max_length=3),
    "exact, longest": BASE.replace(datapath="exact_sum", range=8.0, scale=0.9, max_length=65536),
    "exact, two segments": INT8.replace(datapath="exact_sum", range=2.0, reciprocal_index=1),
}


def check(config: SoftmaxConfig, total: np.ndarray, rom: str = "memory") -> None:
    golden = reciprocal_table(config)
    functions = SumFunctions.of(config, reciprocal=golden)
    r, q = scalars(functions, total, ROM_STYLES[rom])
    gold_r, gold_q = golden(total)
    np.testing.assert_array_equal(r, gold_r)
    np.testing.assert_array_equal(q + golden.lowest, gold_q)


def some_sums(config: SoftmaxConfig) -> np.ndarray:
    """Sums around powers of two, the largest, and any."""
    golden, rng = reciprocal_table(config), np.random.default_rng(12)
    least = 1 << (golden.fraction + golden.lowest)
    largest = config.max_length << golden.fraction
    powers = 1 << np.arange(golden.fraction + golden.lowest, largest.bit_length())
    edges = (powers[:, None] + np.arange(-5, 6)).ravel()
    sums = rng.integers(least, largest + 1, 1000)
    near = rng.choice(powers, 1000)
    near += rng.integers(0, near)
    total = np.concatenate([edges, sums, near, [least, largest]])
    return rng.permutation(total[(total >= least) & (total <= largest)])


@pytest.mark.parametrize("name", ["int8", "just below it", "two segments", "exact, two segments"])
def test_every_table_input_gives_goldens_reciprocal(name):
    config = CONFIGS[name]
    golden, rng = reciprocal_table(config), np.random.default_rng(11)
    kept, places = golden.index + golden.step, config.max_length.bit_length() - golden.lowest
    s = np.arange(1 << kept) + (1 << kept)
    below = golden.fraction + golden.lowest + rng.integers(0, places, s.size) - kept
    rest = rng.integers(0, 1 << np.maximum(below, 0))
    total = np.where(below >= 0, (s << np.maximum(below, 0)) + rest, s >> np.maximum(-below, 0))
    check(config, total)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_sums_around_powers_of_two_and_the_largest_give_goldens_reciprocal(config):
    check(config, some_sums(config))


@pytest.mark.parametrize("name", ["int8", "exact int8"])
def test_the_table_as_a_case_statement_gives_goldens_reciprocal(name):
    check(CONFIGS[name], some_sums(CONFIGS[name]), rom="case")


def test_the_sum_of_a_row_without_elements_disturbs_no_other():
    config, rng = CONFIGS["exact int8"], np.random.default_rng(13)
    golden = reciprocal_table(config)
    total = some_sums(config)[:300]
    empty = rng.random(total.size) < 0.3
    functions = SumFunctions.of(config, reciprocal=golden)
    r, q = scalars(functions, np.where(empty, 0, total))
    gold_r, gold_q = golden(total)
    np.testing.assert_array_equal(r[~empty], gold_r[~empty])
    np.testing.assert_array_equal(q[~empty] + golden.lowest, gold_q[~empty])
