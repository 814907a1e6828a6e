"""Numbers are joined before they are added."""

import numpy as np
import pytest
from amaranth.hdl import Elaboratable, Module, Signal

from softmaxfx.hdl.parts.or_add import OrAdd

from ..streams import pipelined

NUMBERS = "a0", "b0", "a1", "b1"


class Added(Elaboratable):
    """The sum, a cycle later."""

    def __init__(self, wide: int, narrow: int):
        self.add, self.o = OrAdd(widths=(wide, narrow)), Signal(wide + 1)
        for name in NUMBERS:
            setattr(self, name, getattr(self.add, name))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.add = self.add
        m.d.sync += self.o.eq(self.add.o)
        return m


@pytest.mark.parametrize(("wide", "narrow"), [(1, 1), (9, 5), (31, 15)])
def test_two_numbers_are_joined_before_they_are_added(wide, narrow):
    rng = np.random.default_rng(91)
    first, second = rng.integers(0, 1 << wide, (2, 300)), rng.integers(0, 1 << narrow, (2, 300))
    inputs = dict(zip(NUMBERS, [*first, *second], strict=True))
    (gate,) = pipelined(Added(wide, narrow), inputs, ["o"], latency=1)
    np.testing.assert_array_equal(gate, (first | second).sum(axis=0))
