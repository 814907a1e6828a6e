"""A register between two streams that keeps their signals apart in both directions."""

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Skid(wiring.Component):
    """A word in a register, and a place for the next one where its reader refuses.

    So ``i.ready`` is a register, and does not depend on ``o.ready`` in the same cycle.

    Latency 1 cycle; one word in and one out per cycle.

    Members:
        i, o: words, in the same order.
    """

    latency = 1

    def __init__(self, shape: ShapeLike):
        self._shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step, waits, waiting = Signal(), Signal(), Signal(self._shape, reset_less=True)
        m.d.comb += [step.eq(~self.o.valid | self.o.ready), self.i.ready.eq(~waits)]
        with m.If(~waits):
            m.d.sync += waiting.eq(self.i.payload)
        m.d.sync += waits.eq(~step & (waits | self.i.valid))
        with m.If(step):
            m.d.sync += self.o.valid.eq(waits | self.i.valid)
            with m.If(waits):
                m.d.sync += self.o.payload.eq(waiting)
            with m.Else():
                m.d.sync += self.o.payload.eq(self.i.payload)
        return m
