"""The ln stage and the log-probability stage give golden's bits, at their latency."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, preset
from softmaxfx.golden.stages.ln import ln_table
from softmaxfx.golden.stages.log_probability import LogProbability as Golden
from softmaxfx.hdl.stages.log_probability import LogProbability
from softmaxfx.hdl.stages.row_scalar import SumFunctions
from softmaxfx.hdl.targets.generic import ROM_STYLES

from ..streams import pipelined, scalars

BASE = preset("base", function="log_softmax", output=SQ(6, 10))
INT8 = preset("int8", function="log_softmax", output=SQ(6, 3))
CONFIGS = {
    "base": BASE,
    "int8": INT8,
    "steep": BASE.replace(output=SQ(9, 8), scale=10),
    "one": preset("tiny", function="log_softmax", output=SQ(6, 10), max_length=1),
    # sums can be below 1
    "exact base": BASE.replace(datapath="exact_sum"),
    "exact int8": INT8.replace(datapath="exact_sum"),
    "exact, flat": BASE.replace(datapath="exact_sum", scale=0.01),
    "exact, odd range": INT8.replace(datapath="exact_sum", range=9.875, exp_split=(4, 4)),
    "exact, one element": INT8.replace(datapath="exact_sum", max_length=1),
    "exact, longest": BASE.replace(
        datapath="exact_sum", output=SQ(7, 8), max_length=65536, range=8.0
    ),
}
each = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def sums_of(config, count: int) -> np.ndarray:
    """Sums of any size, and those around powers of two."""
    golden, rng = ln_table(config, config.output.f + 4), np.random.default_rng(1)
    least = 1 << (golden.sum_fraction + golden.lowest)
    largest = config.max_length << golden.sum_fraction
    powers = 1 << np.arange(golden.sum_fraction + golden.lowest, largest.bit_length())
    near = rng.choice(powers, count)
    any_size = rng.integers(least, largest + 1, count)
    sums = np.concatenate([any_size, near + rng.integers(0, near), powers, powers * 2 - 1])
    return sums[sums <= largest]


@pytest.mark.parametrize("rom", ROM_STYLES)
@each
def test_ln_of_sums_is_goldens(config, rom):
    golden = ln_table(config, config.output.f + 4)
    assert golden.signed == (config.datapath == "exact_sum")
    sums = sums_of(config, 600)
    (got,) = scalars(SumFunctions.of(config, ln=golden), sums, ROM_STYLES[rom])
    np.testing.assert_array_equal(got, golden(sums))


@each
def test_log_probability_is_goldens(config):
    golden = Golden.of(config, config.output)
    rng = np.random.default_rng(2)
    nearest, farthest = config.path.nearest, config.path.farthest
    distance = np.append(rng.integers(nearest, farthest + 1, 800), [nearest, farthest])
    sums = rng.choice(sums_of(config, 600), distance.size)
    active, error = rng.random((2, distance.size)) < [[0.9], [0.1]]
    dut = LogProbability(
        golden=golden, distance_bits=farthest.bit_length(), width=config.output.width
    )
    inputs = {
        "distance": distance, "ln": golden.ln(sums),
        "active": active.astype(int), "error": error.astype(int),
    }  # fmt: skip
    (got,) = pipelined(dut, inputs, ["o"], latency=LogProbability.latency)
    gold = np.where(active, golden(distance, sums), golden.lowest)
    np.testing.assert_array_equal(got, np.where(error, 0, gold))
