"""A product of two numbers, with the registers that a hardware multiplier has inside."""

from amaranth.hdl import Module, Shape
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .pipeline import delay, register


class Multiply(wiring.Component):
    """``a * b``, ``a`` unsigned, ``b`` either.

    Latency 3 cycles: input, pipeline and output register; one product per cycle.
    """

    latency = 3

    def __init__(self, *, a_bits: int, b_bits: int, b_signed: bool = False):
        super().__init__(
            {
                "a": In(a_bits),
                "b": In(Shape(b_bits, b_signed)),
                "o": Out(Shape(a_bits + b_bits, b_signed)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product = register(m, self.a, name="a_1") * register(m, self.b, name="b_1")
        m.d.comb += self.o.eq(delay(m, product, self.latency - 1, name="product"))
        return m
