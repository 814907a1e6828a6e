"""Holds the beats of rows until a value of the whole row is known, then lets both out together."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.compare import above
from ..parts.pipeline import delay, register
from ..parts.two_port import TwoPort
from ..targets.generic import GENERIC, Target


class RowBuffer(wiring.Component):
    """A ring of beats, joined with one scalar per row (its maximum, or its reciprocal).

    The scalar of a row comes ``wait`` cycles after the row's last beat, always: what computes it
    is a pipeline without stalls. So the row can start to leave a little earlier. Beats of later
    rows come in meanwhile. The buffer itself never refuses anything: whoever writes holds credits
    for ``depth`` beats and ``rows`` rows.

    Latency :meth:`notice` cycles from a row's last beat to the first that can leave, and 5 from
    ``reading`` to ``o_valid``; one beat in and one out per cycle.

    Members:
        i_valid, i_last, i: a beat comes in, the last of its row or not. i_last is 0 without a beat.
        i_scalar: the scalar of the row whose last beat came ``wait`` cycles ago.
        read: allows a beat to leave; it does if a complete row has one (``reading``).
        reading: a beat leaves the ring in this cycle; its place is free.
        o_valid, o_last, o, o_scalar: a beat and the scalar of its row.
    """

    latency = 2 * TwoPort.latency + 1
    NOTICE = 3
    """Cycles from notice of a complete row to the first in which a beat of it can leave."""
    AHEAD = TwoPort.latency + NOTICE - 1
    """Cycles by which that notice can come before the scalar, which is read later than the beat."""

    def __init__(
        self,
        *,
        beat: ShapeLike,
        scalar: ShapeLike,
        depth: int,
        rows: int,
        wait: int,
        target: Target = GENERIC,
    ):
        self._depth, self._rows, self._wait, self._target = depth, rows, wait, target
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(beat),
                "i_scalar": In(scalar),
                "read": In(1),
                "reading": Out(1),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o": Out(beat),
                "o_scalar": Out(scalar),
                **self._members(),
            }
        )

    def _members(self) -> dict[str, Any]:
        """Further members."""
        return {}

    @classmethod
    def notice(cls, wait: int) -> int:
        """Cycles from a row's last beat to the first in which a beat of the row can leave."""
        return max(wait - cls.AHEAD, 0) + cls.NOTICE

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beats = self._count_beats(m)
        beat = Cat(self.i_last, Value.cast(self.i))
        m.submodules.ring = ring = self._target.two_port(width=len(beat), depth=self._depth)
        m.d.comb += [ring.w_en.eq(self.i_valid), ring.i.eq(beat)]
        _count(m, ring.w_addr, self.i_valid, self._depth, name="ring_write")

        # a scalar makes the beats of its row ready to leave
        ready, some = Signal(range(self._depth + 1)), Signal()
        others = register(m, beats, name="others", reset=True)
        one_less = register(m, beats - 1, name="one_less", reset=True, init=-1)
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
        _count(m, ring.r_addr, self.reading, self._depth, name="ring_read")

        # out: a beat that leaves the ring says whether the next one has the next row's scalar
        scalar = Value.cast(self.i_scalar)
        m.submodules.scalars = scalars = self._target.two_port(width=len(scalar), depth=self._rows)
        complete = self._complete(m)
        m.d.comb += [scalars.w_en.eq(complete), scalars.i.eq(scalar)]
        _count(m, scalars.w_addr, complete, self._rows, name="scalar_write")
        valid = delay(m, self.reading, ring.latency, name="ring_valid", reset=True)
        _count(m, scalars.r_addr, valid & ring.o[0], self._rows, name="scalar_read")
        wait = scalars.latency + 1
        beat = delay(m, ring.o, wait, name="beat")
        m.d.comb += [
            self.o_valid.eq(delay(m, valid, wait, name="valid", reset=True)),
            self.o_last.eq(beat[0]),
            self.o.eq(beat[1:]),
            # all lanes use it: a register of its own shares the way to them
            self.o_scalar.eq(register(m, scalars.o, name="scalar")),
        ]
        return m

    def _complete(self, m: Module) -> Value:
        """Whether the scalar of a row has come."""
        return delay(m, self.i_last, self._wait, name="complete", reset=True)

    def _count_beats(self, m: Module) -> Value:
        """The beats of a row when it may start to leave, else 0."""
        count = Signal(range(self._depth + 1), init=1)
        with m.If(self.i_valid):
            m.d.sync += count.eq(count + 1)
        with m.If(self.i_last):
            m.d.sync += count.eq(1)
        wait = max(self._wait - self.AHEAD, 0)
        return delay(m, Mux(self.i_last, count, 0), wait, name="beats", reset=True)


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
