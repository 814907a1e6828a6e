"""Beats that wait at a unit's input for what they are joined with."""

from amaranth.hdl import Module, ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .credits import Credits
from .pipeline import register
from .queue import Queue


class Inlet(wiring.Component):
    """Accepts up to :data:`SKEW` beats before the first of them is taken.

    ``i.ready`` is a register. Latency 3 cycles; one beat in and one out per cycle.

    Members: i: beats. o: the same beats in the same order.
    """

    latency = 3
    SKEW = Queue.places - Credits.MARGIN
    """Beats by which one input can be ahead of another."""

    def __init__(self, shape: ShapeLike):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.places = places = Credits(places=Queue.places)
        m.submodules.queue = queue = Queue(self.o.payload.shape())
        accepted = self.i.valid & self.i.ready
        m.d.comb += [
            self.i.ready.eq(places.available),
            places.take.eq(accepted),
            places.give.eq(self.o.valid & self.o.ready),
            queue.coming.eq(accepted),
            queue.i.eq(register(m, self.i.payload, name="beat")),
        ]
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        return m
