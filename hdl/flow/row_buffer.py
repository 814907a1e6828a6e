"""Holds the beats of rows until a value of the whole row is known, then lets both out together."""

from amaranth.hdl import Cat, Const, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.compare import above
from ..parts.pipeline import delay, register
from ..parts.two_port import TwoPort
from ..targets.generic import GENERIC, Target


class RowBuffer(wiring.Component):
    """A ring of beats, joined with one scalar per row (its maximum, or its reciprocal).

    Who makes the scalars says when a row may leave, and of how many beats it is; beats of later
    rows come in meanwhile. The buffer itself never refuses anything: whoever writes holds credits
    for ``depth`` beats and ``rows`` rows.

    Latency :attr:`NOTICE` cycles from ``beats`` to the first beat that can leave, and 5 from
    ``reading`` to ``o_valid``; one beat in and one out per cycle.

    Members:
        i_valid, i_last, i: a beat comes in, the last of its row or not.
        place: where it is kept.
        beats: of the next row, which may leave, else 0.
        complete, i_scalar: the scalar of the next row, at most :attr:`AHEAD` cycles later.
        read: allows a beat to leave; it does if there is one (``reading``).
        reading: a beat leaves the ring in this cycle; its place, ``reading_place``, is free.
        o_valid, o_last, o, o_scalar: a beat and the scalar of its row.
    """

    latency = 2 * TwoPort.latency + 1
    NOTICE = 3
    """Cycles from ``beats`` to the first in which one of them can leave."""
    AHEAD = TwoPort.latency + NOTICE - 1
    """Cycles by which ``beats`` can come before the scalar, which is read later than the beat."""

    def __init__(
        self,
        *,
        beat: ShapeLike,
        scalar: ShapeLike,
        depth: int,
        rows: int,
        target: Target = GENERIC,
    ):
        self._depth, self._rows, self._target = depth, rows, target
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(beat),
                "place": Out(range(depth)),
                "beats": In(range(depth + 1)),
                "complete": In(1),
                "i_scalar": In(scalar),
                "read": In(1),
                "reading": Out(1),
                "reading_place": Out(range(depth)),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o": Out(beat),
                "o_scalar": Out(scalar),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._let_leave(m)
        valid, beat = self._ring(m)
        self._join(m, valid, beat)
        return m

    def _let_leave(self, m: Module) -> None:
        """Count the beats that may leave."""
        ready, some = Signal(range(self._depth + 1)), Signal()
        others = register(m, self.beats, name="others", reset=True)
        one_less = register(m, self.beats - 1, name="one_less", reset=True, init=-1)
        left = register(m, self.reading, name="left", reset=True)  # not yet counted in ``ready``
        m.d.sync += [
            ready.eq(ready + Mux(left, one_less, others)),
            some.eq(
                above(ready, 2)
                | ((ready == 2) & ~(left & self.reading))
                | ((ready == 1) & ~(left | self.reading))
            ),
        ]
        m.d.comb += self.reading.eq(self.read & some)

    def _ring(self, m: Module) -> tuple[Value, Value]:
        """Beats in and out: (one has left the ring, whether it is its row's last and the beat)."""
        beat = Cat(self.i_last, Value.cast(self.i))
        m.submodules.ring = ring = self._target.two_port(width=len(beat), depth=self._depth)
        m.d.comb += [ring.w_en.eq(self.i_valid), ring.i.eq(beat), self.place.eq(ring.w_addr)]
        _count(m, ring.w_addr, self.i_valid, self._depth, name="ring_write")
        _count(m, ring.r_addr, self.reading, self._depth, name="ring_read")
        m.d.comb += self.reading_place.eq(ring.r_addr)
        return delay(m, self.reading, ring.latency, name="ring_valid", reset=True), ring.o

    def _join(self, m: Module, valid: Value, beat: Value) -> None:
        """A beat that leaves the ring says whether the next one has the next row's scalar."""
        scalar = Value.cast(self.i_scalar)
        m.submodules.scalars = scalars = self._target.two_port(width=len(scalar), depth=self._rows)
        m.d.comb += [scalars.w_en.eq(self.complete), scalars.i.eq(scalar)]
        _count(m, scalars.w_addr, self.complete, self._rows, name="scalar_write")
        _count(m, scalars.r_addr, valid & beat[0], self._rows, name="scalar_read")
        wait = scalars.latency + 1
        beat = delay(m, beat, wait, name="beat")
        m.d.comb += [
            self.o_valid.eq(delay(m, valid, wait, name="valid", reset=True)),
            self.o_last.eq(beat[0]),
            self.o.eq(beat[1:]),
            # all lanes use it: a register of its own shares the way to them
            self.o_scalar.eq(register(m, scalars.o, name="scalar")),
        ]


def _count(m: Module, address: Value, step: Value, depth: int, *, name: str) -> None:
    """Drive an address that goes on by one with every ``step``, round a memory of ``depth``."""
    pointer, at_end = Signal(range(depth), name=name), Signal(name=f"{name}_end", init=depth == 1)
    m.d.comb += address.eq(pointer)
    # a step beyond the end is a longer one, so that no choice follows the addition
    around = Const((1 << len(pointer)) - depth + 1, len(pointer))
    with m.If(step):
        m.d.sync += [
            pointer.eq(pointer + Cat(Mux(at_end, bit, j == 0) for j, bit in enumerate(around))),
            at_end.eq(pointer == depth - 2 if depth > 2 else ~at_end | (depth == 1)),
        ]
