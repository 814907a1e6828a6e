"""The exp tables and products in gates hold what golden's hold."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, UQ, SoftmaxConfig, preset
from softmaxfx.golden.stages.accumulate import Accumulate
from softmaxfx.golden.stages.exp import exp_table
from softmaxfx.hdl.stages.exp import ByDifference, ByLogit, Exp
from softmaxfx.hdl.targets.generic import ROM_STYLES

from ..streams import pipelined, trace

EXHAUSTIVE = {
    "base": preset("base"),
    "int8": preset("int8"),
    "tiny": preset("tiny"),
    "tight": preset("tight"),
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
INT8, BASE = preset("int8", datapath="exact_sum"), preset("base", datapath="exact_sum")
BY_LOGIT = {
    "base": BASE,
    "int8": INT8,
    "three tables": BASE.replace(exp_split=(6, 6, 4), scale=0.3),
    "narrow fields": INT8.replace(exp_split=(3, 2, 2, 1), scale=0.7),
    "a table for every bit": INT8.replace(exp_split=(1,) * 8, mantissa_bits=12, scale=0.3),
    "one bit first": INT8.replace(exp_split=(1, 7), scale=0.3),
    "one bit last": INT8.replace(exp_split=(7, 1)),
    "one wide table": SoftmaxConfig(
        datapath="exact_sum", input=SQ(5, 7), output=UQ(0, 16), exp_split=(12,)
    ),
    "two tables, one range code": INT8.replace(range=0.125, exp_split=(1, 1)),
    "odd range": INT8.replace(range=9.875),
    "odd range, two tables": INT8.replace(range=9.875, exp_split=(4, 4)),
    "odd range, three tables": BASE.replace(range=7.31201171875, exp_split=(5, 5, 5)),
    "range a power of two": INT8.replace(range=8.0, exp_split=(4, 4)),
    "range just below one": INT8.replace(range=7.875, exp_split=(4, 3)),
    "range of every code": BASE.replace(
        input=SQ(5, 8), range=15.99609375, exp_split=(6, 7), scale=0.5
    ),
    "short range": BASE.replace(range=0.5),
    "one LSB of range": INT8.replace(range=0.125),
    "one LSB of range, 16 bits": BASE.replace(range=2.0**-11),
    "steep": INT8.replace(scale=1.4, exp_split=(4, 4)),
    "flat": INT8.replace(scale=0.01),
    "nearly constant": INT8.replace(scale=2.0**-40),
    "widest mantissa": INT8.replace(scale=0.5, mantissa_bits=28, exp_split=(4, 4), exp_bits=34),
}
BY_LOGIT_SAMPLED = {
    "log": BASE.replace(function="log_softmax", output=SQ(6, 10)),
    "four tables": BASE.replace(exp_split=(4, 4, 4, 4)),
    "tight": preset("tight", datapath="exact_sum"),
    "wide": preset("wide", datapath="exact_sum", mantissa_bits=None, exp_bits=None),
    "18 bits of mantissa": preset("wide", datapath="exact_sum"),
    "24 bits, three tables": SoftmaxConfig(
        datapath="exact_sum", input=SQ(5, 19), range=8.0, exp_split=(8, 8, 8), max_length=256
    ),
}
every_rom = pytest.mark.parametrize("rom", ROM_STYLES)


def check(config: SoftmaxConfig, u: np.ndarray, rom: str = "memory") -> None:
    golden = exp_table(config)
    dut = Exp(golden=golden, contents=ByDifference.of(golden), target=ROM_STYLES[rom])
    gate = pipelined(dut, {"i": u}, ["mantissa", "exponent"], latency=Exp.latency_of(golden))
    np.testing.assert_array_equal(gate, golden(u))


def check_logits(config: SoftmaxConfig, x: np.ndarray, rom: str = "memory") -> None:
    golden, total = exp_table(config), Accumulate.of(config)
    contents = ByLogit.of(golden, config)
    dut = Exp(golden=golden, contents=contents, target=ROM_STYLES[rom])
    address = x % (1 << len(dut.i))
    latency, outputs = Exp.latency_of(golden), ["mantissa", "exponent", "next_exponent"]
    stimulus = [{"i": i} for i in address.tolist()] + [{}] * latency
    seen = np.array(trace(dut, stimulus, outputs))
    gate, place = seen[latency:, 0], seen[latency:, 1]
    np.testing.assert_array_equal(seen[latency - 1 : -1, 2], place)
    mantissa, shift = golden(config.path.origin - x)
    np.testing.assert_array_equal(gate, mantissa)
    # the place says what the sum's term is
    np.testing.assert_array_equal(gate << place, total.align(mantissa, shift))
    assert (gate << place << shift == mantissa << (total.fraction - total.mantissa_bits + 1)).all()


@pytest.mark.parametrize("config", EXHAUSTIVE.values(), ids=EXHAUSTIVE)
def test_every_difference_gives_goldens_mantissa_and_shift(config):
    check(config, np.arange(config.path.reach + 1))


@pytest.mark.parametrize("config", SAMPLED.values(), ids=SAMPLED)
def test_sampled_differences_and_segment_borders_give_goldens_mantissa_and_shift(config):
    rng, reach = np.random.default_rng(7), config.path.reach
    place = sum(config.widths.exp_split[1:])
    borders = (np.arange(1, (reach >> place) + 1) << place)[:, None] + [-1, 0]
    small = rng.integers(0, 1 << rng.integers(1, 20, 1000))
    any_size = rng.integers(0, reach + 1, 3000)
    check(config, np.concatenate([any_size, borders.ravel(), small, [reach]]))


@pytest.mark.parametrize("config", BY_LOGIT.values(), ids=BY_LOGIT)
def test_every_logit_gives_goldens_mantissa_and_the_place_of_its_term(config):
    check_logits(config, np.arange(-config.range_code, config.range_code + 1))


@pytest.mark.parametrize("config", BY_LOGIT_SAMPLED.values(), ids=BY_LOGIT_SAMPLED)
def test_sampled_logits_and_segment_borders_give_goldens_mantissa_and_place(config):
    rng, limit = np.random.default_rng(17), config.range_code
    place = sum(config.widths.exp_split[1:])
    borders = (np.arange(-limit >> place, (limit >> place) + 1) << place)[:, None] + [-1, 0, 1]
    x = np.concatenate([rng.integers(-limit, limit + 1, 3000), borders.ravel(), [-limit, limit]])
    check_logits(config, x[np.abs(x) <= limit])


@every_rom
@pytest.mark.parametrize("name", ["int8", "odd range, two tables", "narrow fields"])
def test_every_style_of_table_gives_goldens_bits(name, rom):
    config = BY_LOGIT[name]
    check_logits(config, np.arange(-config.range_code, config.range_code + 1), rom)
    config = EXHAUSTIVE.get(name, EXHAUSTIVE["no guard bit spared"])
    check(config, np.arange(config.path.reach + 1), rom)


def test_every_further_table_costs_the_same_number_of_cycles():
    one, two, three, four = (
        Exp.latency_of(exp_table(INT8.replace(exp_split=split, scale=0.3)))
        for split in ((8,), (4, 4), (3, 3, 2), (2, 2, 2, 2))
    )
    assert 0 < one < two
    assert three - two == four - three > 0
