"""The place of a row's largest element, a beat of lanes at a time."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay, register


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A code, with a bit more than one has, and the lane that it is of."""

    code: Value
    lane: Value

    def later(self, m: Module, cycles: int) -> "_Candidate":
        return _Candidate(*(delay(m, v, cycles, name="odd") for v in (self.code, self.lane)))


class Argmax(wiring.Component):
    """The first of the largest active elements of each row; the twin of ``golden.stages.argmax``.

    Nobody waits for it but who predicts, so that lanes are compared in one cycle and chosen from in
    the next.

    Latency :meth:`latency_of` cycles from the row's last beat, one beat per cycle.

    Args:
        places: elements of the longest row.

    Members:
        i_valid, i_last: a beat, the last of its row or not.
        i: the beat's elements. active: those that take part. place: of the beat's first element.
        o: the place of the row whose last beat came ``latency`` cycles ago; it stays until the next
            row's. 0 where no element took part.
    """

    def __init__(self, *, lanes: int, width: int, places: int):
        self._lanes = lanes
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(data.ArrayLayout(signed(width), lanes)),
                "active": In(lanes),
                "place": In(range(places)),
                "o": Out(range(places)),
            }
        )

    @staticmethod
    def latency_of(lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return 3 + 2 * (lanes - 1).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat = self._beat(m)
        wait = self.latency_of(self._lanes) - 2
        valid = delay(m, self.i_valid, wait, name="valid", reset=True)
        last = delay(m, self.i_last, wait, name="last")
        place = delay(m, self.place, wait, name="place")
        best, first = Signal.like(beat.code, reset_less=True), Signal(init=1)
        of_best = Signal.like(self.o), Signal.like(beat.lane)
        with m.If(valid):
            m.d.sync += first.eq(last)
        # a register that is enabled needs no choice in front of it
        with m.If(valid & (first | (beat.code > best))):
            m.d.sync += [best.eq(beat.code), of_best[0].eq(place), of_best[1].eq(beat.lane)]
        ended = register(m, valid & last, name="ended", reset=True)
        with m.If(ended):
            m.d.sync += self.o.eq(of_best[0] + of_best[1])
        return m

    def _beat(self, m: Module) -> _Candidate:
        """The first of the largest elements of a beat."""
        level = []
        for lane, (x, active) in enumerate(zip(self.i, self.active, strict=True)):
            # what takes no part is below the lowest code; a register is cleared, or set, at no cost
            code = register(m, Mux(active, x, 0), name=f"code{lane}")
            below = register(m, x[-1] | ~active, name=f"below{lane}")
            code = Cat(code, below).as_signed()
            level.append(_Candidate(code, Value.cast(lane)))
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            odd = level[len(level) & ~1 :]
            level = [_larger(m, a, b) for a, b in pairs] + [one.later(m, 2) for one in odd]
        return level[0]


def _larger(m: Module, a: _Candidate, b: _Candidate) -> _Candidate:
    """The larger of two, the first of equal ones; 2 cycles later."""
    less = register(m, a.code < b.code, name="less")
    a, b = a.later(m, 1), b.later(m, 1)
    return _Candidate(
        register(m, Mux(less, b.code, a.code), name="larger"),
        register(m, Mux(less, b.lane, a.lane), name="lane"),
    )
