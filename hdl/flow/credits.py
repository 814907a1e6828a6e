"""A counter of free places, so that a pipeline without stalls never overflows what follows it."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.compare import above


class Credits(wiring.Component):
    """Counts free places of a buffer that lies behind a pipeline.

    ``available`` is a register: what is taken shows in it two cycles later. ``MARGIN`` places are
    kept back for that, and ``lead`` more where a place is taken that many cycles after it was
    allowed.

    Members:
        take: a place is used (only where ``available`` was high, ``lead`` cycles ago).
        give: a place is free again.
        available: a place may be taken in this cycle.
    """

    MARGIN = 1

    def __init__(self, *, places: int, lead: int = 0):
        self._places, self._kept = places, self.MARGIN + lead
        super().__init__({"take": In(1), "give": In(1), "available": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        free = Signal(range(self._places + 1), init=self._places)
        change = Signal(signed(2))
        m.d.sync += [
            change.eq(self.give - self.take),
            free.eq(free + change),
            # free + change > kept, without the addition
            self.available.eq(
                above(free, self._kept + 1)
                | ((free == self._kept + 1) & (change >= 0))
                | ((free == self._kept) & (change > 0))
            ),
        ]
        return m
