"""Beats that wait at a unit's input for what they are joined with."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .pipeline import register
from .target import GENERIC, Target
from .two_port import TwoPort


class Inlet(wiring.Component):
    """Accepts up to :attr:`SKEW` beats before the first of them is taken.

    A beat waits in a memory, whose port is as fast as any; only whether it is its row's last one is
    known before it is taken. ``i.ready`` is a register.

    A beat can be taken :attr:`NOTICE` cycles after it was accepted; one beat in and one out per
    cycle.

    Members:
        i: beats; the field ``last`` marks a row's last one.
        some, last: there is a beat to take, and it is its row's last one. take: it is taken.
        o: the beat that was taken :attr:`latency` cycles ago.
    """

    latency = TwoPort.latency
    NOTICE = 2
    """Cycles from the one in which a beat is accepted to the first in which it can be taken."""
    SKEW = 16
    """Beats by which one input can be ahead of another, at least."""
    PLACES = 2 * SKEW
    """Places of the memory: some beats more come in before ``ready`` tells that SKEW are there."""

    def __init__(self, shape: data.StructLayout, target: Target = GENERIC):
        self._shape, self._target = shape, target
        super().__init__(
            {
                "i": In(stream.Signature(shape)),
                "some": Out(1),
                "last": Out(1),
                "take": In(1),
                "o": Out(shape),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat = register(m, self.i.payload, name="beat")
        word = Value.cast(beat)
        m.submodules.words = words = self._target.two_port(width=len(word), depth=self.PLACES)
        m.submodules.lasts = lasts = memory.Memory(shape=1, depth=self.PLACES, init=[])
        write, read = lasts.write_port(), lasts.read_port(domain="comb")
        place, front = Signal(range(self.PLACES)), Signal(range(self.PLACES))
        accept = self.i.valid & self.i.ready
        # the memory is wide: what reaches it is kept apart from what the counters need, in a
        # register of the opposite sense
        w_en = register(m, accept, name="w_en", reset=True)
        came = ~register(m, ~accept, name="quiet", reset=True, init=1)
        m.d.comb += [
            words.w_en.eq(w_en),
            words.w_addr.eq(place),
            words.i.eq(word),
            words.r_addr.eq(front),
            write.en.eq(w_en),
            write.addr.eq(place),
            write.data.eq(data.View(self._shape, beat).last),
            read.addr.eq(front),
            self.last.eq(read.data),
            self.o.eq(words.o),
        ]
        held, some, ready = Signal(range(self.PLACES)), Signal(), Signal()
        # what takes a beat is known late: it enables registers, and no addition waits for it
        with m.If(came):
            m.d.sync += place.eq(place + 1)
        with m.If(self.take):
            m.d.sync += front.eq(front + 1)
        with m.If(came ^ self.take):
            m.d.sync += held.eq(held + Mux(came, 1, -1))
        m.d.sync += [
            some.eq((held > 1) | (held[0] & ~self.take) | came),
            ready.eq(held < self.SKEW),
        ]
        m.d.comb += [self.i.ready.eq(ready), self.some.eq(some)]
        return m
