"""What the simulation knows of the cross-entropy unit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.measures.loss_metrics import LossMetrics, cross_entropies
from ..golden.measures.losses import Losses
from ..golden.measures.summary import within
from ..golden.ports.frame import cut_frames
from ..golden.ports.status import STATUS_BITS
from ..golden.proofs.bounds import bound_ulp
from ..golden.proofs.loss import loss_bound
from ..golden.rows import LogitRows
from ..golden.types import Codes, Indices, Integers
from ..golden.units.cross_entropy import LossRows, cross_entropy_rows
from ..golden.units.registry import TARGET
from .beats import Beats, in_beats, pack_rows
from .frames import FRAMES
from .kind import Answer, Measured, WithLogits, in_width, shortened
from .paced import Paced, longest_first
from .scoreboard import Expected
from .sidecar import Unit
from .softmax import hostile_logits, pack_logits, row_beats, row_width

OUTSIDE_SHARE = 0.1
"""Share of the random rows whose target is outside."""


@dataclass(frozen=True, eq=False, slots=True)
class TargetRows(WithLogits):
    """Rows of logits and their classes.

    Attributes:
        logits: the rows. targets: class index of each, below 2**32; one outside the row, and
            any below 0, leaves the row without a loss.
    """

    targets: Integers

    def take(self, rows: slice | Indices) -> "TargetRows":
        """Some of the rows, no wider than the longest of them."""
        return TargetRows(self.logits.take(rows), self.targets[rows])


class CrossEntropy:
    """A kind of unit, see :class:`.kind.Kind`; its rows are :class:`TargetRows`."""

    frames = (*FRAMES, "masked", "all masked", "target outside", "target masked")

    def pack(self, rows: TargetRows, unit: Unit) -> dict[str, Beats]:
        outside = np.flatnonzero(rows.targets > TARGET.max_code)
        if outside.size:
            raise ValueError(
                f"targets must be from 0 to {TARGET.max_code}, not {rows.targets[outside[0]]} "
                f"(row {outside[0]})"
            )
        # the port has no sign: the largest index is outside every row
        targets = np.where(rows.targets < 0, TARGET.max_code, rows.targets)
        return {
            "s_axis": pack_logits(rows.logits, unit),
            "s_axis_target": _one_a_row(targets, unit),
        }

    def expect(self, sent: Mapping[str, Beats], unit: Unit) -> Answer:
        config, logits, targets = unit.config, sent["s_axis"], sent["s_axis_target"].data[:, 0]
        frames = cut_frames(logits.data, logits.keep, logits.user, logits.last, config)
        frames = frames.take(slice(len(targets)))
        count = len(frames.beats)
        targets = targets[:count]
        width = row_width(frames, config)
        present, masked = frames.present[:, :width], frames.masked[:, :width]
        lengths = present.sum(axis=1)
        result = cross_entropy_rows(
            frames.codes[:, :width], present & ~masked, lengths, targets, config
        )
        bad = frames.error
        error, good = bad | result.error, ~bad[:, None]
        result = LossRows(
            loss=np.where(bad, 0, result.loss),
            grad=np.where(good, result.grad, 0),
            clipped=result.clipped & good,
            ignored=result.ignored & ~bad,
            error=error,
            exponent=np.where(error, 0, result.exponent),
        )
        frames = replace(frames, error=error)
        status = np.zeros((count, STATUS_BITS), bool)
        status[:, 0], status[:, 2] = error, result.ignored
        row = np.repeat(np.arange(count), frames.beats)
        of_row = np.broadcast_to(targets[row][:, None], (len(row), unit.lanes))
        gradient = Expected(
            row_beats(
                result.grad,
                result.clipped,
                status,
                result.exponent,
                frames,
                logits.ident,
                unit.stream("m_axis"),
            ),
            row,
            {"input code": in_beats(frames.codes, frames.beats, unit.lanes), "target": of_row},
        )
        stream = unit.stream("m_axis_loss")
        loss = Expected(
            Beats(
                data=result.loss[:, None],
                keep=np.ones((count, 1, stream.octets), bool),
                user=status,
                last=np.ones(count, bool),
                ident=frames.ident(logits.ident),
            ),
            np.arange(count),
            {"target": targets[:, None]},
        )
        return Answer({"m_axis": gradient, "m_axis_loss": loss}, result)

    def measure(self, answer: Answer, rows: TargetRows, config: SoftmaxConfig) -> Measured:
        logits, padded = rows.logits, answer.result
        grad, clipped = in_width(padded.grad, logits), in_width(padded.clipped, logits)
        result = replace(padded, grad=grad, clipped=clipped)
        given, bound = cross_entropies(result, logits, rows.targets, config), bound_ulp(config)
        metrics = LossMetrics.of(given, config, loss_bound(config).ulp)
        return Measured(
            metrics=metrics,
            bound_ulp=bound,
            bounds_kept=within(metrics.max_error_ulp, bound) and metrics.loss_bound_kept,
            probabilities=config.output.quantize(given.of_codes.p[given.classes.elements]),
            errors=given.errors(config),
            lost=Losses.of(config, logits),
        )

    def rows(
        self, logits: LogitRows, config: SoftmaxConfig, rng: np.random.Generator
    ) -> TargetRows:
        """Any element is the class, masked ones too, likely ones more often; few are outside."""
        count, lengths = len(logits.lengths), logits.lengths
        targets = rng.integers(0, lengths)
        top = np.where(logits.active, logits.values, -np.inf).argmax(axis=1)
        targets = np.where(rng.random(count) < 0.3, top, targets)
        outside = rng.random(count) < OUTSIDE_SHARE
        return TargetRows(logits, np.where(outside, _outside(lengths, rng), targets))

    def logits(self, rows: TargetRows) -> LogitRows:
        return rows.logits

    def shortened(self, rows: TargetRows, chosen: Codes, lengths: Codes) -> TargetRows:
        """As for other kinds; a target beyond the row's new end becomes its first element."""
        targets = rows.targets[chosen]
        cut = (targets >= lengths) & (targets < rows.lengths[chosen])
        return TargetRows(shortened(rows.logits, chosen, lengths), np.where(cut, 0, targets))

    def paced(self, rows: TargetRows, unit: Unit) -> Paced:
        return longest_first(self, rows, tuple(stream.name for stream in unit.inputs))

    def hostile_frame(self, frame: str, unit: Unit, rng: np.random.Generator) -> dict[str, Beats]:
        logits = hostile_logits("masked" if frame == "target masked" else frame, unit, rng)
        present, masked = logits.keep[:, :, 0].ravel(), logits.user.ravel()
        length = int(present.sum())
        target = int(rng.integers(0, max(length, 1)))
        if frame == "target outside":
            target = int(_outside(np.array([length]), rng)[0])
        elif frame == "target masked" and (present & masked).any():
            target = int(rng.choice(np.flatnonzero(present & masked)))
        return {"s_axis": logits, "s_axis_target": _one_a_row(np.array([target]), unit)}


def _outside(lengths: Codes, rng: np.random.Generator) -> Codes:
    """Indices outside rows: just beyond the end, near a power of two, or of any size."""
    power = (1 << rng.integers(0, 33, lengths.shape)) - rng.integers(0, 4, lengths.shape)
    sized = rng.integers(0, 1 << 32, lengths.shape) >> rng.integers(0, 32, lengths.shape)
    near = lengths + rng.integers(0, 2, lengths.shape)
    drawn = np.choose(rng.integers(0, 3, lengths.shape), [near, power, sized])
    return np.clip(drawn, lengths, TARGET.max_code)


def _one_a_row(targets: Codes, unit: Unit) -> Beats:
    """Targets as beats."""
    ones = np.ones(len(targets), np.int64)
    return pack_rows(targets[:, None], ones, unit.stream("s_axis_target"))
