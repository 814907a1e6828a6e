"""What becomes of a cross-entropy row and its target where long rows come twice."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from ...golden.config import SoftmaxConfig
from ..flow.both_left import BothLeft
from ..flow.in_turn import InTurn
from ..flow.pick import Pick
from ..parts.pipeline import delay, register
from ..targets.generic import Target
from .capacity import ROWS, depth_of
from .datapath import Datapath
from .held import held
from .last_pass import LastPass
from .part_target import PartTarget
from .whole_rows import WholeRows, known_of, told


class PartRows(WholeRows):
    """A row that comes once takes its target as in :class:`WholeRows`. Of one that comes twice, the
    beats of the second pass are parts, and each takes the target: the one that has the target's
    element hands its code to the loss, which leaves with the last part.

    Whether the target is outside the row is known from the first pass, before a beat leaves. That
    its element is masked shows with the element: the row is in error from there on.
    """

    def __init__(self, config: SoftmaxConfig, skew: int):
        super().__init__(config, skew)
        self._hit, self._valid, self._ends = Signal(), Signal(), Signal()

    def row_target(self, known: dict[str, Any], wait: int, target: Target) -> PartTarget:
        config = self._config
        return PartTarget(
            scalar=data.StructLayout({**known, "length": range(config.max_length + 1)}),
            wait=wait,
            depth=depth_of(config),
            longest=config.max_beats,
            skew=self._skew,
            target=target,
        )

    def given_to(self, m: Module, path: Datapath, rows: Any, wait: int) -> Any:
        given = held(m, path, rows.i, wait)
        m.d.comb += [
            rows.i_ends.eq(path.o.last),
            given.length.eq(delay(m, self._length(m, path), wait - 2, name="length")),
        ]
        return given

    def _length(self, m: Module, path: Datapath) -> Value:
        """Elements of the row up to a beat, two cycles later."""
        lanes, keep = self._config.lanes, Value.cast(path.o.tag.keep)
        before = Signal(range(self._config.max_beats * lanes))
        with m.If(path.o_valid | path.passes.first):
            m.d.sync += before.eq(Mux(path.o.last, 0, before + lanes))
        after = Cat(keep[1:], 0)
        here = [Mux(keep[j] & ~after[j], j + 1, 0) for j in range(lanes)]
        count = register(m, reduce(or_, here), name="count")
        length = register(m, before, name="before") + count
        return register(m, length[: self._config.max_length.bit_length()], name="length")

    def taken(self, rows: Any, pick: Pick) -> list[Any]:
        return [
            pick.take.eq(rows.valid & rows.ends),
            pick.index.eq(rows.index),
            pick.first.eq(rows.first),
            pick.beats.eq(rows.end),
        ]

    def judged(self, m: Module, rows: Any, pick: Pick) -> tuple[data.View, Value]:
        wait = known_of(self._config) - 1
        row = data.View(rows.o.row.shape(), delay(m, rows.o.row, wait, name="row"))
        beyond = register(m, rows.index >= rows.o.length, name="beyond")
        beyond = delay(m, beyond, wait - 1, name="beyond")
        earlier, hit = Signal(), ~pick.outside & ~beyond
        error = row.error | earlier | (hit & ~pick.o.active)
        m.d.comb += [
            self._valid.eq(delay(m, rows.valid, wait, name="judged", reset=True)),
            self._ends.eq(delay(m, rows.ends, wait, name="ends")),
            self._hit.eq(hit),
        ]
        with m.If(self._valid):
            m.d.sync += earlier.eq(error & ~self._ends)
        flags, lanes = told(m, self._config, row, error, beyond & ~error, pick.lane)
        here = register(m, hit, name="here")
        return flags, lanes & here.replicate(len(lanes))

    def x(self, m: Module, pick: Pick) -> Value:
        x = Signal(pick.o.x.shape(), reset_less=True)
        with m.If(self._valid & self._hit):
            m.d.sync += x.eq(pick.o.x)
        return x

    def complete(self, m: Module, rows: Any, known: Value) -> Value:
        return known & register(m, self._ends, name="complete")

    def given(self, m: Module, last_pass: LastPass, loss_left: Value) -> Value:
        m.submodules.both_left = left = BothLeft(rows=ROWS)
        m.submodules.in_turn = in_turn = InTurn(most=ROWS)
        m.d.comb += [
            left.a.eq(last_pass.ended),
            left.b.eq(loss_left),
            in_turn.a.eq(left.o),
            in_turn.b.eq(last_pass.row_given & ~last_pass.ended),
        ]
        return in_turn.o
