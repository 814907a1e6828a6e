"""A queue that is as deep as a memory, and whose first word is there to be looked at."""

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay
from ..targets.generic import GENERIC, Target
from .credits import Credits
from .inlet import Inlet
from .queue import Queue


class DeepQueue(wiring.Component):
    """Words wait in a memory, the first of them in a :class:`Queue`.

    ``i.ready`` is a register; one word in and one out per cycle, :attr:`latency` cycles later where
    none waits.

    Args:
        words: that wait before the queue refuses others, at least.

    Members:
        i, o: words, in the same order.
    """

    latency = Inlet.NOTICE + Inlet.latency + Queue.latency

    def __init__(self, shape: data.StructLayout, *, words: int, target: Target = GENERIC):
        self._inlet, self._queue = Inlet(shape, target=target, skew=words), Queue(shape)
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inlet, m.submodules.queue = inlet, queue = self._inlet, self._queue
        m.submodules.places = places = Credits(places=queue.places)
        wiring.connect(m, wiring.flipped(self.i), inlet.i)
        wiring.connect(m, wiring.flipped(self.o), queue.o)
        go = inlet.valid & places.available
        m.d.comb += [
            inlet.consume.eq(go),
            places.take.eq(go),
            places.give.eq(self.o.valid & self.o.ready),
            queue.produce_next.eq(delay(m, go, Inlet.latency - 1, name="coming", reset=True)),
            queue.i.eq(inlet.o),
        ]
        return m
