"""Events that may come two in a cycle, as one a cycle."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class InTurn(wiring.Component):
    """Tells as many events as there were of both kinds, one a cycle.

    Latency 1 cycle and more.

    Args:
        most: events that can wait.

    Members:
        a, b: events of a cycle. o: one is told.
    """

    def __init__(self, *, most: int):
        self._most = most
        super().__init__({"a": In(1), "b": In(1), "o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        waiting = Signal(range(self._most + 1))
        m.d.comb += self.o.eq(waiting != 0)
        m.d.sync += waiting.eq(waiting + self.a + self.b - self.o)
        return m
