"""Parts of rows that are complete wait for their targets: rows that come once, and every beat of a
second pass."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ..flow.backlog import Backlog
from ..flow.inlet import Inlet
from ..flow.lasts import lasts_of
from ..parts.pipeline import delay
from ..targets.generic import GENERIC, Target
from .row_target import RowTarget


class PartTarget(RowTarget):
    """A :class:`RowTarget` of rows in parts: all parts of a row have the one target.

    Args:
        longest: beats of a row.

    Members: those of a :class:`RowTarget`, in which a row is a part of one; and
        i_ends: with ``i_last``: the part is the last one of its row.
        ends: with ``valid``: likewise. first, end: beats of the row before the part, and up to its
            end.
    """

    def __init__(
        self,
        *,
        scalar: data.StructLayout,
        wait: int,
        depth: int,
        longest: int,
        skew: int = Inlet.SKEW,
        target: Target = GENERIC,
    ):
        beats = range(max(longest, depth) + 1)
        super().__init__(
            scalar=scalar,
            wait=wait,
            depth=depth,
            skew=skew,
            target=target,
            i_ends=In(1),
            ends=Out(1),
            first=Out(beats),
            end=Out(beats),
        )

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        first = Signal(len(self.first))
        m.d.comb += [self.first.eq(first), self.end.eq(first + self.beats)]
        with m.If(self.valid):
            m.d.sync += first.eq(Mux(self.ends, 0, self.end))
        return m

    def _takes_target(self, m: Module, both: Value, complete: Backlog) -> Value:
        came = delay(m, self.i_last, self._wait, name="came", reset=True)
        arriving = delay(m, self.i_ends, self._wait, name="arriving")
        ends = lasts_of(m, complete, came, arriving, complete.consume)
        m.d.comb += self.ends.eq(delay(m, ends, Backlog.latency, name="ends"))
        return both & ends
