"""The logarithm of an element's probability: -(difference * scale) - ln of its row's sum."""

from amaranth.hdl import Module, Mux, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.log_probability import GUARD
from ..golden.log_probability import LogProbability as Golden
from .pipeline import delay, register


class LogProbability(wiring.Component):
    """The twin of :class:`golden.log_probability.LogProbability`.

    Latency 6 cycles, one element per cycle.

    Members:
        distance: max - x, in input LSB. active: the element takes part.
        ln: ln of its row's sum.
        o: the output code; the lowest where the element takes no part.
    """

    latency = 6

    def __init__(self, *, golden: Golden, distance_bits: int, width: int):
        self._golden = golden
        super().__init__(
            {
                "distance": In(distance_bits),
                "active": In(1),
                "ln": In(golden.ln.width),
                "o": Out(signed(width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        distance = register(m, self.distance, name="d")
        product = register(m, distance * golden.factor, name="product_1")
        product = register(m, product, name="product_2")
        ln = delay(m, self.ln, 3, name="ln")
        active = delay(m, self.active, 5, name="active")

        scaled = product >> golden.factor_fraction - GUARD
        total = register(m, scaled + ln, name="total")
        rounded = register(m, (total + (1 << (GUARD - 1))) >> GUARD, name="rounded")
        lowest = (rounded > -golden.lowest) | ~active
        m.d.sync += self.o.eq(Mux(lowest, golden.lowest, -rounded))
        return m
