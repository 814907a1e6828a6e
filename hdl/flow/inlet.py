"""Beats that wait at a unit's input for what they are joined with."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import register
from ..parts.shift_count import FIRST, OTHER, after
from ..targets.generic import GENERIC, Target
from .backlog import Backlog


class Inlet(wiring.Component):
    """Accepts up to ``skew`` beats before the first of them is taken.

    A beat waits in a memory, whose port is as fast as any; only whether it is its row's last one is
    known before it is taken. ``i.ready`` is a register.

    A beat can be taken :attr:`NOTICE` cycles after it was accepted; one beat in and one out per
    cycle.

    Args:
        skew: the memory has twice the places, less one: some beats more come in before ``ready``
            tells that so many are there.

    Members:
        i: beats; the field ``last``, if there is one, marks a row's last beat.
        valid, last: there is a beat, and it is its row's last one. consume: it is taken.
        o: the beat that was taken :attr:`latency` cycles ago.
    """

    latency = Backlog.latency
    NOTICE = 1 + Backlog.NOTICE
    """Cycles from the one in which a beat is accepted to the first in which it can be taken."""
    SKEW = 16
    """Beats by which one input can be ahead of another, at least, unless told otherwise."""

    def __init__(self, shape: data.StructLayout, target: Target = GENERIC, *, skew: int = SKEW):
        self._shape, self._target, self._skew = shape, target, skew
        self._places = self.places_of(skew)
        super().__init__(
            {
                "i": In(stream.Signature(shape)),
                "valid": Out(1),
                "last": Out(1),
                "consume": In(1),
                "o": Out(shape),
            }
        )

    @staticmethod
    def places_of(skew: int) -> int:
        """Places of the memory."""
        return 2 * skew - 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        accept = self.i.valid & self.i.ready
        beat = register(m, self.i.payload, name="beat")
        m.submodules.backlog = backlog = Backlog(
            self._shape, places=self._places, target=self._target
        )
        m.d.comb += [
            backlog.produce_next.eq(accept),
            backlog.i.eq(beat),
            backlog.consume.eq(self.consume),
            self.valid.eq(backlog.valid),
            self.o.eq(backlog.o),
            self.i.ready.eq(register(m, backlog.level < self._skew, name="ready", reset=True)),
        ]
        if "last" in self._shape.members:
            m.submodules.lasts = lasts = memory.Memory(shape=1, depth=self._places + 1, init=[])
            write, read = lasts.write_port(), lasts.read_port(domain="comb")
            # addresses of its own, which lie next to it; the other memory's are far from here
            came = register(m, accept, name="came", reset=True)
            place, second = Signal(len(write.addr), init=FIRST), Signal(len(read.addr), init=OTHER)
            last, arriving = Signal(reset_less=True), data.View(self._shape, beat).last
            with m.If(came):
                m.d.sync += place.eq(after(place))
            with m.If(self.consume):
                m.d.sync += second.eq(after(second))
            # the first beat's is in a register: what takes a beat need not wait for the memory
            with m.If(self.consume | ~backlog.valid):
                m.d.sync += last.eq(Mux(backlog.level > 1, read.data, arriving))
            m.d.comb += [
                write.en.eq(came),
                write.addr.eq(place),
                write.data.eq(arriving),
                read.addr.eq(second),
                self.last.eq(last),
            ]
        return m
