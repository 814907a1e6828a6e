"""When a row has left by two ports that do not wait for one another."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import register


class BothLeft(wiring.Component):
    """A row has left when the later of its two results has; rows leave each port in order.

    Latency 2 cycles.

    Args:
        rows: that one port can be ahead of the other, at most.

    Members:
        a, b: a row has left by this port. o: a row has left by both.
    """

    def __init__(self, *, rows: int):
        self._rows = rows
        super().__init__({"a": In(1), "b": In(1), "o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a = register(m, self.a, name="left_a", reset=True)
        b = register(m, self.b, name="left_b", reset=True)
        ahead = Signal(signed(self._rows.bit_length() + 1))  # rows that have left by a, less by b
        with m.If(a ^ b):
            m.d.sync += ahead.eq(ahead + Mux(a, 1, -1))
        later = Mux(a, b | ahead[-1], b & ~ahead[-1] & (ahead != 0))
        m.d.comb += self.o.eq(register(m, later, name="left", reset=True))
        return m
