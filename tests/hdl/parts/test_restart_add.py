"""The adder of an accumulator: the running sum counts, or it does not."""

import random

import pytest
from amaranth.hdl import Elaboratable, Module, Signal

from softmaxfx.hdl.parts.restart_add import RestartAdd

from ..streams import trace


class Accumulator(Elaboratable):
    """The adder and its register, which can be set instead."""

    def __init__(self, width: int, term_bits: int):
        self.add = RestartAdd(width=width, term_bits=term_bits)
        self.goes_on, self.term, self.o = self.add.goes_on, self.add.term, Signal(width)
        self.set, self.value = Signal(), Signal(width)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.add = self.add
        m.d.comb += self.add.running.eq(self.o)
        m.d.sync += self.o.eq(self.add.o)
        with m.If(self.set):
            m.d.sync += self.o.eq(self.value)
        return m


@pytest.mark.parametrize(("width", "term_bits"), [(1, 1), (4, 4), (5, 2), (20, 9), (63, 52)])
def test_terms_are_added_to_the_running_sum_or_start_it_anew(width, term_bits):
    rng, running, stimulus, gold = random.Random(61), 0, [], [0]
    for _ in range(500):
        term = rng.choice([0, (1 << term_bits) - 1, rng.getrandbits(term_bits)])
        value = rng.choice([0, (1 << width) - 1, rng.getrandbits(width)])
        goes_on, sets = int(rng.random() < 0.7), int(rng.random() < 0.2)
        stimulus.append({"goes_on": goes_on, "term": term, "set": sets, "value": value})
        running = value if sets else (running * goes_on + term) % (1 << width)
        gold.append(running)
    seen = trace(Accumulator(width, term_bits), [*stimulus, {}], ["o"])
    assert [o for (o,) in seen] == gold
