"""The classes of rows: which rows count, and where their classes are."""

from dataclasses import dataclass

import numpy as np

from ..types import Bits, Codes, Reals
from .calibration import calibration_error
from .exact import exact_losses
from .ragged import Ragged


@dataclass(frozen=True, slots=True)
class LossChange:
    """The mean loss beside that of float64, which knows the original logits.

    ``None`` where no row has a loss. :mod:`.catalogue` says what each figure means.
    """

    loss_float: float | None
    loss_change: float | None

    @classmethod
    def of(cls, loss: float | None, loss_float: float | None) -> "LossChange":
        """Between two mean losses."""
        if loss is None or loss_float is None:
            return cls(loss_float, None)
        return cls(loss_float, loss - loss_float)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidence is from being right, beside that of float64; ``None`` of no row.

    :mod:`.catalogue` says what each figure means.
    """

    ece: float | None
    ece_float: float | None


class Classes:
    """Of the rows whose class is an active element of them; others have no loss.

    Attributes:
        rows: the rows with a loss. target: class of every row, 0 where it has no loss.
        outside, masked: how many rows have none, for their class is outside, or masked.
        place: of each row's class in the flat array. elements: of the flat array, in such rows.
        hot: flat: the elements that are the class of their row.
        held_out: of ``rows``: those that the calibration is measured on, all by default.
    """

    def __init__(self, layout: Ragged, targets: Codes, held_out: Bits | None = None) -> None:
        inside = (targets >= 0) & (targets < layout.rows.lengths)
        self.target = np.where(inside, targets, 0)
        given = inside & layout.rows.active[np.arange(len(targets)), self.target]
        self.target[~given] = 0
        self.outside = int(np.count_nonzero(~inside))
        self.masked = int(np.count_nonzero(inside & ~given))
        self.layout = layout
        self.rows: Codes = np.flatnonzero(given)
        self.place = layout.find(self.rows, self.target[self.rows])
        self.elements = np.flatnonzero(given[layout.row])
        self.hot = np.zeros(layout.size, bool)
        self.hot[self.place] = True
        self.held_out: Bits = (np.ones(len(targets), bool) if held_out is None else held_out)[
            self.rows
        ]

    def losses(self, values: Reals) -> Reals:
        """float64 cross-entropy of the rows with a loss, in nats, from padded logits."""
        return exact_losses(values, self.layout.rows.active, self.target)[self.rows]

    def calibration(self, p: Reals) -> float | None:
        """Expected calibration error of flat probabilities, over the held-out rows with a loss."""
        winners = self.layout.is_largest(p)
        right = winners[self.place] / self.layout.sums(winners)[self.rows]
        confidence = self.layout.largest(p)[self.rows]
        return calibration_error(confidence[self.held_out], right[self.held_out])
