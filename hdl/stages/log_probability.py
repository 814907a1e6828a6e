"""The logarithm of an element's probability: -(difference * scale) - ln of its row's sum."""

from amaranth.hdl import Module, Mux, Shape, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.log_probability import GUARD
from ...golden.stages.log_probability import LogProbability as Golden
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target


class LogProbability(wiring.Component):
    """The twin of :class:`golden.stages.log_probability.LogProbability`.

    Latency 6 cycles, one element per cycle.

    Members:
        distance: of the element, in input LSB. active: it takes part.
        ln: ln of its row's sum. error: the row is in error; its elements get 0.
        o: the output code; the lowest where the element takes no part.
    """

    latency = Multiply.latency + 3

    def __init__(self, *, golden: Golden, distance_bits: int, width: int, target: Target = GENERIC):
        self._golden, self._target = golden, target
        super().__init__(
            {
                "distance": In(distance_bits),
                "active": In(1),
                "ln": In(Shape(golden.ln.width, golden.ln.signed)),
                "error": In(1),
                "o": Out(signed(width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=len(self.distance), b_bits=max(golden.factor.bit_length(), 1)
        )
        m.d.comb += [multiply.a.eq(self.distance), multiply.b.eq(golden.factor)]
        ln = delay(m, self.ln, multiply.latency, name="ln")
        active = delay(m, self.active, self.latency - 1, name="active")

        scaled = multiply.o >> golden.factor_fraction - GUARD
        ln = ln.as_signed() if golden.ln.signed else ln
        total = register(m, scaled + ln, name="total")
        rounded = register(m, (total + (1 << (GUARD - 1))) >> GUARD, name="rounded")
        lowest = (rounded > -golden.lowest) | ~active
        code = Mux(lowest, golden.lowest, Mux(rounded < 0, 0, -rounded))
        code = register(m, code[: len(self.o)], name="code").as_signed()
        error = delay(m, self.error, self.latency, name="error")
        m.d.comb += self.o.eq(Mux(error, 0, code))
        return m
