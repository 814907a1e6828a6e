"""The adder of an accumulator that can start anew."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class RestartAdd(wiring.Component):
    """``term`` plus the running sum, or plus ``start``. Combinational; the caller registers it.

    Members:
        running: the sum so far. goes_on: it counts. term: what is added. o: the sum, cut to
        the width of ``running``.
    """

    def __init__(self, *, width: int, term_bits: int, start: int = 0):
        self._start = start
        super().__init__(
            {"running": In(width), "goes_on": In(1), "term": In(term_bits), "o": Out(width)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        before = self.running & self.goes_on.replicate(len(self.running))
        if self._start:
            before = Mux(self.goes_on, self.running, self._start)
        m.d.comb += self.o.eq(before + self.term)
        return m
