"""How far an element lies below its row's maximum."""

from amaranth.hdl import Module, Mux, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.compare import above
from ..parts.pipeline import register


class Difference(wiring.Component):
    """``max - x``, saturated at ``reach``; the twin of ``golden.stages.difference``.

    Latency 3 cycles, one element per cycle. An element above the maximum (one that takes no part
    in it) gives a value without meaning.

    Members:
        x, maximum: codes. o: the difference, in input LSB. clipped: it was above ``span``.
    """

    latency = 3

    def __init__(self, *, width: int, span: int, reach: int):
        self._span, self._reach = span, reach
        super().__init__(
            {
                "x": In(signed(width)),
                "maximum": In(signed(width)),
                "o": Out(range(reach + 1)),
                "clipped": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        distance = register(m, (self.maximum - self.x).as_unsigned(), name="distance")
        beyond = register(m, above(distance, self._reach), name="beyond")
        clipped = register(m, above(distance, self._span), name="beyond_span")
        distance = register(m, distance, name="distance")
        saturated = Mux(beyond, self._reach, distance)[: len(self.o)]
        m.d.comb += [
            self.o.eq(register(m, saturated, name="saturated")),
            self.clipped.eq(register(m, clipped, name="clipped")),
        ]
        return m
