"""The range of an element: what lies outside becomes its limit."""

from amaranth.hdl import Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay, register


class Clip(wiring.Component):
    """The twin of ``golden.stages.clip``.

    Compares with the limits in two cycles, and clips in the third.

    Latency 3 cycles, one element per cycle.

    Members:
        x: a code. active: the element takes part.
        o: the clipped code. clipped: an active element was clipped.
    """

    latency = 3

    def __init__(self, *, width: int, limit: int):
        self._limit = limit
        super().__init__(
            {"x": In(signed(width)), "active": In(1), "o": Out(signed(width)), "clipped": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        limit = self._limit
        above, below = self._outside(m)
        x = delay(m, self.x, 2, name="x").as_signed()
        active = delay(m, self.active, 2, name="active")
        clipped = Mux(above, limit, Mux(below, -limit, x))[: len(x)]
        m.d.comb += [
            self.o.eq(register(m, clipped, name="clipped_x").as_signed()),
            self.clipped.eq(register(m, (above | below) & active, name="clipped")),
        ]
        return m

    def _outside(self, m: Module) -> tuple[Value, Value]:
        """Whether x is above the limit, and whether it is below its opposite; 2 cycles.

        Only the bits above the limit's lowest one are compared: of those below it, all that matters
        is whether one is set.
        """
        place = (self._limit & -self._limit).bit_length() - 1
        high, low = self.x[place:].as_signed(), self.x[:place]
        top = self._limit >> place
        above = register(m, high > top, name="high_above")
        at = register(m, high == top, name="high_equal")
        rest = register(m, low.any(), name="low")
        below = register(m, high < -top, name="high_below")
        return (
            register(m, above | (at & rest), name="above"),
            register(m, below, name="below"),
        )
