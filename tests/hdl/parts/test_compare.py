"""A comparison with a constant is one, whether a LUT or a carry chain makes it."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Elaboratable, Module, Signal

from softmaxfx.hdl.parts.compare import LUT_BITS, above

from ..streams import pipelined


class Compare(Elaboratable):
    """Whether a value is above each of some limits, a cycle later."""

    def __init__(self, width: int, limits: list[int]):
        self.limits, self.value, self.o = limits, Signal(width), Signal(len(limits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.o.eq(Cat(above(self.value, limit) for limit in self.limits))
        return m


@pytest.mark.parametrize("width", [1, 2, 3, 6, 7, 8, 10])
def test_every_value_against_limits_of_every_kind(width):
    top, rng = 1 << width, np.random.default_rng(62)
    powers = 1 << np.arange(width + 1)
    borders = {*powers.tolist(), *(powers - 1).tolist(), *(3 * powers).tolist(), 1 << LUT_BITS}
    limits = sorted({*range(18), *rng.integers(0, top + 1, 15).tolist(), *borders})
    (gate,) = pipelined(Compare(width, limits), {"value": np.arange(top)}, ["o"], latency=1)
    gold = np.arange(top)[:, None] > np.array(limits)
    np.testing.assert_array_equal((gate[:, None] >> np.arange(len(limits))) & 1, gold)
