"""A counter of free places, so that a pipeline without stalls never overflows what follows it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Credits(wiring.Component):
    """Counts free places of a buffer that lies behind a pipeline.

    ``available`` is a register: it is computed from the count of the cycle before, so it keeps
    ``MARGIN`` places back for what may be taken meanwhile, and ``lead`` more where a place is taken
    that many cycles after it was allowed.

    Members:
        take: a place is used (only where ``available`` was high, ``lead`` cycles ago).
        give: a place is free again.
        available: a place may be taken in this cycle.
    """

    MARGIN = 2

    def __init__(self, *, places: int, lead: int = 0):
        self._places, self._kept = places, self.MARGIN + lead
        super().__init__({"take": In(1), "give": In(1), "available": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        free = Signal(range(self._places + 1), init=self._places)
        m.d.sync += free.eq(free + self.give - self.take)
        m.d.sync += self.available.eq(free > self._kept)
        return m
