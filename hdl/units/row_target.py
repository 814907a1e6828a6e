"""Complete rows wait for their targets, and targets for their rows."""

from amaranth.hdl import Module, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Member, Out

from ..flow.backlog import Backlog
from ..flow.inlet import Inlet
from ..flow.pick import Pick
from ..flow.row_wait import beats_so_far
from ..parts.pipeline import delay
from ..targets.generic import GENERIC, Target
from .capacity import ROWS


class RowTarget(wiring.Component):
    """Joins every row with its target, in order; up to ``ROWS`` rows wait.

    Latency :attr:`latency` cycles from a row's scalar, the target being there; one row per cycle.

    Args:
        scalar: what is known of a complete row. wait: cycles from its last beat to that.
        depth: beats of the longest row, and more. skew: targets that wait for rows, at least.

    Members:
        i_valid, i_last: a beat of the row, the last one or not. i_last is 0 without one.
        i: of the row whose last beat came ``wait`` cycles ago.
        target: class indices, one a row.
        valid: a row and its target: o, its beats, and the index.
    """

    latency = Backlog.NOTICE + Backlog.latency

    def __init__(
        self,
        *,
        scalar: data.StructLayout,
        wait: int,
        depth: int,
        skew: int = Inlet.SKEW,
        target: Target = GENERIC,
        **more: Member,
    ):
        self._wait, self._skew, self._target = wait, skew, target
        self._record = data.StructLayout({"scalar": scalar, "beats": range(depth + 1)})
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(scalar),
                "target": In(stream.Signature(target_layout())),
                "valid": Out(1),
                "o": Out(scalar),
                "beats": Out(range(depth + 1)),
                "index": Out(Pick.INDEX_BITS),
                **more,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.targets = targets = Inlet(
            target_layout(), target=self._target, skew=self._skew
        )
        m.submodules.complete = complete = Backlog(self._record, places=ROWS, target=self._target)
        wiring.connect(m, wiring.flipped(self.target), targets.i)
        count = beats_so_far(m, self.i_valid, self.i_last, bits=len(self.beats))
        both, wait = targets.valid & complete.valid, self._wait
        m.d.comb += [
            complete.produce_next.eq(
                delay(m, self.i_last, wait - 1, name="next_complete", reset=True)
            ),
            complete.i.scalar.eq(self.i),
            complete.i.beats.eq(delay(m, count, wait, name="beats")),
            targets.consume.eq(self._takes_target(m, both, complete)),
            complete.consume.eq(both),
            self.valid.eq(delay(m, both, Backlog.latency, name="valid", reset=True)),
            self.o.eq(complete.o.scalar),
            self.beats.eq(complete.o.beats),
            self.index.eq(targets.o.index),
        ]
        return m

    def _takes_target(self, m: Module, both: Value, complete: Backlog) -> Value:
        """Whether the complete row, which leaves where there are ``both``, takes a target along."""
        return both


def target_layout() -> data.StructLayout:
    """A class index."""
    return data.StructLayout({"index": Pick.INDEX_BITS})
