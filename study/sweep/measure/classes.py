"""The classes of a source's rows: which rows count, and where their classes are."""

import numpy as np

from ....golden.measures.gradient_metrics import exact_cross_entropy
from ....golden.types import Bits, Codes, Reals
from .calibration import calibration_error
from .ragged import Ragged
from .sources import Source


class Classes:
    """Of the rows whose class is an active element of them; others have no loss.

    Attributes:
        rows: the rows with a loss. target: class of every row, 0 where it has no loss.
        place: of each row's class in the flat array. elements: of the flat array, in such rows.
        hot: flat: the elements that are the class of their row.
        held_out: of ``rows``: those that the calibration is measured on, all where that is not
            known.
    """

    def __init__(self, source: Source, layout: Ragged) -> None:
        assert source.targets is not None, "a source without classes has no loss"
        logits, targets = source.logits, source.targets
        inside = (targets >= 0) & (targets < logits.lengths)
        self.target = np.where(inside, targets, 0)
        given = inside & logits.active[np.arange(len(targets)), self.target]
        self.target[~given] = 0
        self.layout = layout
        self.rows: Codes = np.flatnonzero(given)
        self.place = layout.find(self.rows, self.target[self.rows])
        self.elements = np.flatnonzero(given[layout.row])
        self.hot = np.zeros(layout.place.size, bool)
        self.hot[self.place] = True
        held_out = np.ones(len(targets), bool) if source.held_out is None else source.held_out
        self.held_out: Bits = held_out[self.rows]

    def loss(self, values: Reals) -> Reals:
        """float64 cross-entropy of the rows with a loss, in nats, from padded logits."""
        active = self.layout.rows.active
        return exact_cross_entropy(values, active, self.target)[0][self.rows]

    def calibration(self, p: Reals) -> float | None:
        """Expected calibration error of flat probabilities, over the held-out rows with a loss."""
        winners = self.layout.is_largest(p)
        right = winners[self.place] / self.layout.sums(winners)[self.rows]
        confidence = self.layout.largest(p)[self.rows]
        return calibration_error(confidence[self.held_out], right[self.held_out])
