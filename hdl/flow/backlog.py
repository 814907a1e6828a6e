"""Words that wait in a memory until they are taken, in order."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import register
from ..parts.shift_count import FIRST, after, width_for
from ..parts.two_port import TwoPort
from ..targets.generic import GENERIC, Target


class Backlog(wiring.Component):
    """A queue in a memory that never checks whether it is full: whoever writes holds credits.

    A word can be taken :attr:`NOTICE` cycles after it came; one in and one out per cycle.

    Attributes:
        places: for words, at least as many as asked for.

    Members:
        produce_next: a word comes with the next cycle. i: the word, in that cycle.
        valid: there is a word. consume: it is taken.
        o: the word that was taken :attr:`latency` cycles ago.
        level: words that have come and were not taken.
    """

    latency = TwoPort.latency
    NOTICE = 1
    """Cycles from the one in which a word comes to the first in which it can be taken."""

    def __init__(self, shape: ShapeLike, *, places: int, target: Target = GENERIC):
        self._shape, self._target = shape, target
        self._address = width_for(places)
        self.places = (1 << self._address) - 1
        super().__init__(
            {
                "produce_next": In(1),
                "i": In(shape),
                "valid": Out(1),
                "consume": In(1),
                "o": Out(shape),
                "level": Out(range(self.places + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Value.cast(self.i)
        m.submodules.words = words = self._target.two_port(width=len(word), depth=self.places + 1)
        # the memory is wide: what reaches it is kept apart from what the counters need, in a
        # register of the opposite sense
        w_en = register(m, self.produce_next, name="w_en", reset=True)
        came = ~register(m, ~self.produce_next, name="quiet", reset=True, init=1)
        place, front = (Signal(self._address, init=FIRST, name=n) for n in ("place", "front"))
        level, valid = Signal.like(self.level), Signal()
        # what takes a word is known late: it enables registers, and no addition waits for it
        with m.If(came):
            m.d.sync += place.eq(after(place))
        with m.If(self.consume):
            m.d.sync += front.eq(after(front))
        with m.If(came ^ self.consume):
            m.d.sync += level.eq(level + Mux(came, 1, -1))
        m.d.sync += valid.eq((level > 1) | (level[0] & ~self.consume) | came)
        m.d.comb += [
            words.w_en.eq(w_en),
            words.w_addr.eq(place),
            words.i.eq(word),
            words.r_addr.eq(front),
            self.o.eq(words.o),
            self.valid.eq(valid),
            self.level.eq(level),
        ]
        return m
