"""The cross-entropy of a row: ln S and the target's distance, added up and rounded once."""

from amaranth.hdl import Module, Mux, Shape
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.log_probability import GUARD
from ..golden.loss import Loss as Golden
from .multiply import Multiply
from .pipeline import delay, register
from .target import GENERIC, Target


class Loss(wiring.Component):
    """The twin of :class:`golden.loss.Loss` for a target of weight 1.

    Latency 5 cycles, one row per cycle.

    Members:
        distance: of the target, in input LSB. active: the row has a loss.
        ln: ln of the row's sum, half an LSB of the loss added to it, and so a bit wider.
        o: the loss; 0 where it has none.
    """

    latency = Multiply.latency + 2

    def __init__(self, *, golden: Golden, distance_bits: int, target: Target = GENERIC):
        self._golden, self._target = golden, target
        ln = golden.log.ln
        super().__init__(
            {
                "distance": In(distance_bits),
                "ln": In(Shape(ln.width + 1, ln.signed)),
                "active": In(1),
                "o": Out(golden.output.width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        log = self._golden.log
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=len(self.distance), b_bits=max(log.factor.bit_length(), 1)
        )
        m.d.comb += [multiply.a.eq(self.distance), multiply.b.eq(log.factor)]
        ln = delay(m, self.ln, multiply.latency, name="ln")
        active = delay(m, self.active, self.latency - 1, name="active")

        scaled = multiply.o >> log.factor_fraction - GUARD
        ln = ln.as_signed() if log.ln.signed else ln
        rounded = register(m, (scaled + ln) >> GUARD, name="rounded")
        # the format holds every loss there can be; below 0 it is 0
        negative = rounded[-1] if rounded.shape().signed else 0
        code = Mux(~active | negative, 0, rounded)
        m.d.comb += self.o.eq(register(m, code[: len(self.o)], name="loss"))
        return m
