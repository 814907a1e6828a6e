"""Beats that wait at a unit's input for what they are joined with."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import register
from ..targets.generic import GENERIC, Target
from .backlog import Backlog
from .lasts import lasts_of


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
            came = register(m, accept, name="came", reset=True)
            arriving = data.View(self._shape, beat).last
            m.d.comb += self.last.eq(lasts_of(m, backlog, came, arriving, self.consume))
        return m
