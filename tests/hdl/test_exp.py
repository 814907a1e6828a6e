"""The exp tables and products in gates hold what golden's hold."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.exp import exp_table
from softmaxfx.hdl.exp import Exp

from .streams import pipelined

EXHAUSTIVE = {
    "base": preset("base"),
    "int8": preset("int8"),
    "tiny": preset("tiny"),
    "three tables": preset("base", exp_split=(6, 6, 4), scale=0.3),
    "narrow fields": preset("int8", exp_split=(3, 2, 2, 1), scale=0.7),
    "steep": preset("int8", exp_split=(3, 2), scale=8.0),
    "very steep": preset("int8", scale=2.0**40),
    "flat": preset("int8", scale=0.01),
    "no guard bit spared": preset("int8", exp_split=(4, 4), exp_bits=20),
    "shortest span": SoftmaxConfig(input=SQ(2, 6), output=UQ(0, 8), range=2**-6),
}
SAMPLED = {
    "wide": preset("wide"),
    "24 fraction bits": preset("wide", output=UQ(0, 24)),
    "25 bits of difference": SoftmaxConfig(
        input=SQ(5, 19), range=16.0, clip="difference", output=UQ(0, 24), max_length=65536
    ),
}


def check(config: SoftmaxConfig, u: np.ndarray) -> None:
    golden = exp_table(config)
    gate = pipelined(
        Exp(golden=golden), {"i": u}, ["mantissa", "shift"], latency=Exp.latency_of(golden)
    )
    np.testing.assert_array_equal(gate, golden(u))


@pytest.mark.parametrize("config", EXHAUSTIVE.values(), ids=EXHAUSTIVE)
def test_every_difference_gives_goldens_mantissa_and_shift(config):
    check(config, np.arange(config.reach + 1))


@pytest.mark.parametrize("config", SAMPLED.values(), ids=SAMPLED)
def test_sampled_differences_and_segment_borders_give_goldens_mantissa_and_shift(config):
    rng, reach = np.random.default_rng(7), config.reach
    place = sum(config.widths.exp_split[1:])
    borders = (np.arange(1, (reach >> place) + 1) << place)[:, None] + [-1, 0]
    small = rng.integers(0, 1 << rng.integers(1, 20, 1000))
    any_size = rng.integers(0, reach + 1, 3000)
    check(config, np.concatenate([any_size, borders.ravel(), small, [reach]]))


@pytest.mark.parametrize(("split", "latency"), [((8,), 2), ((4, 4), 5), ((3, 3, 2), 8)])
def test_latency_is_2_cycles_and_3_more_for_every_further_table(split, latency):
    assert Exp.latency_of(exp_table(preset("int8", exp_split=split))) == latency
