"""The larger of two numbers lets the other one be cleared."""

import numpy as np
import pytest
from amaranth.hdl import Cat, Elaboratable, Module, Signal

from softmaxfx.hdl.parts.larger import Larger

from ..streams import pipelined

NUMBERS = "a0", "a1", "b0", "b1"


class Compared(Elaboratable):
    """Both results of a comparison, a cycle later."""

    def __init__(self, width: int):
        self.larger = Larger(width=width, may_clear=True)
        self.clear, self.o = self.larger.clear, Signal(2)
        for name in NUMBERS:
            setattr(self, name, getattr(self.larger, name))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.larger = larger = self.larger
        m.d.sync += self.o.eq(Cat(larger.clear_a, larger.clear_b))
        return m


@pytest.mark.parametrize("width", [1, 4, 15])
def test_one_of_two_is_cleared_or_both(width):
    rng, top = np.random.default_rng(90), 1 << width
    numbers = rng.integers(0, top, (4, 600))
    numbers[1, ::2], numbers[3, ::3] = 0, 0
    numbers[2:, ::5] = numbers[:2, ::5]  # the same
    clear = (rng.random(600) < 0.3).astype(int)
    inputs = dict(zip(NUMBERS, numbers, strict=True)) | {"clear": clear}
    (gate,) = pipelined(Compared(width), inputs, ["o"], latency=1)
    larger = (numbers[2] | numbers[3]) > (numbers[0] | numbers[1])
    np.testing.assert_array_equal(gate, np.where(larger, 1, 2) | 3 * clear)
