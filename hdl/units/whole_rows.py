"""What becomes of a cross-entropy row and its target where every row comes once."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data

from ...golden.config import SoftmaxConfig
from ..flow.both_left import BothLeft
from ..flow.pick import Pick
from ..parts.pipeline import delay, register
from ..ports.beats import row_layout
from ..targets.generic import Target
from .capacity import ROWS, depth_of
from .datapath import Datapath
from .finish_residuals import FinishResiduals
from .last_pass import LastPass
from .row_target import RowTarget


class WholeRows:
    """A complete row takes its target, which is judged before a beat of the row leaves."""

    def __init__(self, config: SoftmaxConfig, skew: int):
        self._config, self._skew = config, skew

    def row_target(self, known: dict[str, Any], wait: int, target: Target) -> RowTarget:
        """What joins rows with their targets.

        Args:
            known: fields of what is known of a row. wait: cycles from its last beat to that.
        """
        return RowTarget(
            scalar=data.StructLayout(known),
            wait=wait,
            depth=depth_of(self._config),
            skew=self._skew,
            target=target,
        )

    def given_to(self, m: Module, path: Datapath, rows: Any, wait: int) -> Any:
        """Where to give what is known of a row ``wait`` cycles after its last beat."""
        return rows.i

    def taken(self, rows: Any, pick: Pick) -> list[Any]:
        """What connects a row and its target to what picks the target's element."""
        return [
            pick.take.eq(rows.valid),
            pick.index.eq(rows.index),
            pick.beats.eq(rows.beats),
        ]

    def judged(self, m: Module, rows: Any, pick: Pick) -> tuple[data.View, Value]:
        """The status of the row, and the lane of its target, if it has a loss."""
        row = delay(m, rows.o.row, known_of(self._config) - 1, name="row")
        row = data.View(rows.o.row.shape(), row)
        missing = pick.outside | ~pick.o.present
        error, ignored = row.error | (~missing & ~pick.o.active), missing & ~row.error
        return told(m, self._config, row, error, ignored, pick.lane)

    def x(self, m: Module, pick: Pick) -> Value:
        """The target's code."""
        return register(m, pick.o.x, name="x")

    def complete(self, m: Module, rows: Any, known: Value) -> Value:
        """Whether what is ``known`` is that of a row with its loss."""
        return known

    def given(self, m: Module, last_pass: LastPass, loss_left: Value) -> Value:
        """A place for rows is free again."""
        m.submodules.both_left = left = BothLeft(rows=ROWS)
        m.d.comb += [left.a.eq(last_pass.row_given), left.b.eq(loss_left)]
        return left.o


def known_of(config: SoftmaxConfig) -> int:
    """Cycles from row and target to what is known of the target's element."""
    return Pick.latency_of(config.lanes) + 1


def told(
    m: Module, config: SoftmaxConfig, row: data.View, error: Value, ignored: Value, lane: Value
) -> tuple[data.View, Value]:
    """The status of a row a cycle later, and the lane of its target, if it has a loss."""
    flags = Signal(row_layout(config, FinishResiduals.flags))
    lanes = Signal(config.lanes)
    m.d.sync += [
        flags.error.eq(error),
        flags.ignored.eq(ignored),
        *((flags.id.eq(row.id),) if config.id_width else ()),
        *((flags.exponent.eq(Mux(error, 0, row.exponent)),) if config.has_exponent else ()),
        lanes.eq(Mux(error | ignored, 0, 1 << lane)),
    ]
    return flags, lanes
