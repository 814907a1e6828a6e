"""How far an element lies below its row's maximum."""

from amaranth.hdl import Module, Mux, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .pipeline import register


class Difference(wiring.Component):
    """``max - x``, saturated at ``reach``; the twin of ``golden.difference``.

    Latency 2 cycles, one element per cycle. An element above the maximum (one that takes no part
    in it) gives a value without meaning.

    Members:
        x, maximum: codes. o: the difference, in input LSB. clipped: it was above ``span``.
    """

    latency = 2

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
        m.d.sync += [
            self.o.eq(Mux(distance > self._reach, self._reach, distance)),
            self.clipped.eq(distance > self._span),
        ]
        return m
