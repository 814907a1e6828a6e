"""What the simulation knows of the cross-entropy unit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.measures.loss_metrics import LossMetrics, cross_entropies
from ..golden.measures.losses import Losses
from ..golden.measures.summary import within
from ..golden.ports.frame import Frames
from ..golden.ports.status import STATUS_BITS
from ..golden.proofs.bounds import bound_ulp
from ..golden.proofs.loss import loss_bound
from ..golden.rows import LogitRows
from ..golden.types import Bits, Codes, Indices, Integers
from ..golden.units.cross_entropy import LossRows, cross_entropy_rows, gradients_before_target
from ..golden.units.registry import TARGET
from .beats import Beats, in_beats, pack_rows
from .frames import FRAMES
from .kind import Answer, Measured, WithLogits, in_width, shortened
from .paced import Paced, longest_first
from .passes import rows_of
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
        frames = rows_of(logits, unit)
        frames = frames.take(slice(len(targets)))
        count = len(frames.beats)
        targets = targets[:count]
        width = row_width(frames, config)
        present, masked = frames.present[:, :width], frames.masked[:, :width]
        lengths = present.sum(axis=1)
        result = cross_entropy_rows(
            frames.codes[:, :width], present & ~masked, lengths, targets, config
        )
        given = _leaving(result, frames, present & ~masked, targets, config)
        frames = given.frames
        status = np.zeros((count, STATUS_BITS), bool)
        status[:, 2] = result.ignored
        row = np.repeat(np.arange(count), frames.beats)
        of_row = np.broadcast_to(targets[row][:, None], (len(row), unit.lanes))
        gradient = Expected(
            row_beats(
                given.grad,
                given.clipped,
                status,
                result.exponent,
                frames,
                logits.ident,
                unit.stream("m_axis"),
            ),
            row,
            {"input code": in_beats(frames.codes, frames.beats, unit.lanes), "target": of_row},
        )
        whole, bad = np.flatnonzero(frames.whole), frames.error
        status[:, 0], status[:, 2] = bad, result.ignored & ~bad
        result = _in_error(result, bad)
        stream = unit.stream("m_axis_loss")
        loss = Expected(
            Beats(
                data=result.loss[whole, None],
                keep=np.ones((len(whole), 1, stream.octets), bool),
                user=status[whole],
                last=np.ones(len(whole), bool),
                ident=frames.ident(logits.ident)[whole],
            ),
            whole,
            {"target": targets[whole, None]},
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
        rows = rows_of(logits, unit)
        targets = [
            _hostile_target(frame, present, present & masked, rng)
            for present, masked in zip(rows.present, rows.masked, strict=True)
        ]
        targets = targets or [0]  # a row that a reset cuts may take its target along
        return {"s_axis": logits, "s_axis_target": _one_a_row(np.array(targets), unit)}


def _hostile_target(frame: str, present: Bits, masked: Bits, rng: np.random.Generator) -> int:
    length = int(present.sum())
    if frame == "target outside":
        return int(_outside(np.array([length]), rng)[0])
    if frame == "target masked" and masked.any():
        return int(rng.choice(np.flatnonzero(masked)))
    return int(rng.integers(0, max(length, 1)))


@dataclass(frozen=True, eq=False, slots=True)
class _Leaving:
    """What leaves of rows, beats in error aside.

    Attributes:
        frames: with what is wrong with targets. grad, clipped: (rows, elements).
    """

    frames: Frames
    grad: Codes
    clipped: Bits


def _leaving(
    result: LossRows, frames: Frames, active: Bits, targets: Codes, config: SoftmaxConfig
) -> _Leaving:
    """What leaves; of a row that comes twice, up to the beat of a masked target."""
    late = result.error & (frames.sound > 0)
    codes = frames.codes[:, : active.shape[1]]
    grad, clipped = result.grad.copy(), result.clipped.copy()
    if late.any():
        grad[late], clipped[late] = gradients_before_target(codes[late], active[late], config)
    sound = np.where(late, np.minimum(frames.sound, targets // config.lanes), frames.sound)
    return _Leaving(replace(frames, error=frames.error | result.error, sound=sound), grad, clipped)


def _in_error(result: LossRows, error: Bits) -> LossRows:
    """Rows without what those in error do not tell."""
    good = ~error[:, None]
    return LossRows(
        loss=np.where(error, 0, result.loss),
        grad=result.grad * good,
        clipped=result.clipped & good,
        ignored=result.ignored & ~error,
        error=error,
        exponent=np.where(error, 0, result.exponent),
    )


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
