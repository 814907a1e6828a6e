"""What is recorded of rows of logits, in memory that does not grow with them.

All rows are looked at for what their largest and their smallest element say; some of them, drawn
by whoever records, for what takes a look at every element.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ..types import Integers, Reals
from . import bins

WITHIN = (5.0, 10.0, 15.0, 20.0)
"""Rows wholly between plus and minus these are counted."""
RANGES = (8.0, 10.0, 16.0, 32.0, 64.0, 128.0)
"""Rows whose largest element lies beyond plus or minus these, and others that are asked for, are
counted: it would saturate."""
FRACTIONS = (8, 12, 16)
"""Elements whose probability is below one LSB of so many fraction bits are counted."""

Floats = npt.NDArray[np.float32 | np.float64]


@dataclass(frozen=True, eq=False)
class RowRecord:
    """What is recorded of rows, for each of G groups of them (heads of attention).

    Rows without an element that takes part (``empty``) and those with NaN or +inf (``invalid``)
    are counted and left out of the rest.

    Attributes:
        rows, elements, empty, invalid: (G,), of all rows; elements are those that take part.
        low, high: (G,), the least and the largest element of all rows.
        top_low, top_high: (G,), of the rows' maxima. spread_low, spread_high: (G,), of max - min.
        top, spread: (G, bins), histograms of the rows' maxima and of max - min.
        within, beyond: (G, ...), rows by :data:`WITHIN` and by ``ranges``, (G, ...), of which all
            groups have the same.
        seen_rows, seen_elements: (G,), of the rows that were drawn; the rest is of them.
        total, square: (G,), sums of the elements and of their squares.
        element: (G, bins), histogram of the elements.
        pairs: (G,), rows with two elements or more. gap_low, gap_high: (G,), the least and the
            most that is between their two largest. gap: (G, bins), histogram of it.
        below: (G, ...), elements by :data:`FRACTIONS`.
    """

    rows: Integers
    elements: Integers
    empty: Integers
    invalid: Integers
    low: Reals
    high: Reals
    top_low: Reals
    top_high: Reals
    spread_low: Reals
    spread_high: Reals
    top: Integers
    spread: Integers
    within: Integers
    ranges: Reals
    beyond: Integers
    seen_rows: Integers
    seen_elements: Integers
    total: Reals
    square: Reals
    element: Integers
    pairs: Integers
    gap_low: Reals
    gap_high: Reals
    gap: Integers
    below: Integers

    @classmethod
    def empty_of(cls, groups: int, ranges: Sequence[float] = RANGES) -> "RowRecord":
        """Of no rows yet."""

        def counts(*shape: int) -> Integers:
            return np.zeros((groups, *shape), np.int64)

        def reals(value: float) -> Reals:
            return np.full(groups, value)

        inf = np.inf
        return cls(
            counts(), counts(), counts(), counts(),
            reals(inf), reals(-inf), reals(inf), reals(-inf), reals(inf), reals(-inf),
            counts(bins.COUNT), counts(bins.COUNT), counts(len(WITHIN)),
            np.tile(np.array(ranges, np.float64), (groups, 1)), counts(len(ranges)),
            counts(), counts(), reals(0.0), reals(0.0),
            counts(bins.COUNT), counts(), reals(inf), reals(-inf), counts(bins.COUNT),
            counts(len(FRACTIONS)),
        )  # fmt: skip

    @property
    def groups(self) -> int:
        return len(self.rows)

    def add_rows(self, top: Floats, low: Floats, elements: Integers) -> None:
        """Record rows by their ends.

        Args:
            top, low: (G, R), the largest and the smallest element that takes part; of a row
                without any, -inf and +inf. elements: (G, R), how many take part.
        """
        invalid = ~(top < np.inf)
        empty = (elements == 0) & ~invalid
        taken = ~(invalid | empty)
        self.invalid[:] += invalid.sum(axis=1)
        self.empty[:] += empty.sum(axis=1)
        self.rows[:] += taken.sum(axis=1)
        self.elements[:] += (elements * taken).sum(axis=1)
        self._ends(top, low, taken)
        largest = np.where(taken, top, 0)
        reach = np.maximum(np.abs(largest), np.abs(np.where(taken, low, 0)))
        for place, limit in enumerate(WITHIN):
            self.within[:, place] += ((reach <= limit) & taken).sum(axis=1)
        for place, limit in enumerate(self.ranges[0]):
            self.beyond[:, place] += (np.abs(largest) > limit).sum(axis=1)

    def _ends(self, top: Floats, low: Floats, taken: npt.NDArray[np.bool_]) -> None:
        """Extremes and histograms."""
        spread = np.where(taken, top - np.where(taken, low, 0), 0)
        _fold_ends(self.low, self.high, np.where(taken, low, 0), taken)
        _fold_ends(self.top_low, self.top_high, top, taken)
        _fold_ends(self.spread_low, self.spread_high, spread, taken)
        _fold_ends(self.low, self.high, top, taken)
        for held, values in ((self.top, top), (self.spread, spread)):
            counts = bins.counted(_bins(np.where(taken, values, 0)), self.groups)
            counts[:, bins.SIDE] -= (~taken).sum(axis=1)
            held[:] += counts

    def add_drawn(self, x: Floats) -> None:
        """Record every element of some rows.

        Args:
            x: (G, R, n); -inf takes no part. Rows without an element, or with NaN or +inf, are
                left out.
        """
        top = x.max(axis=2, keepdims=True, initial=-np.inf)
        taken = np.isfinite(top)
        active = (x > -np.inf) & taken
        self.seen_rows[:] += taken.sum(axis=(1, 2))
        self.seen_elements[:] += active.sum(axis=(1, 2))
        values = np.where(active, x, 0)
        self.total[:] += values.sum(axis=(1, 2), dtype=np.float64)
        self.square[:] += np.square(values, dtype=np.float64).sum(axis=(1, 2))
        counts = bins.counted(_bins(values), self.groups)
        counts[:, bins.SIDE] -= (~active).sum(axis=(1, 2))
        self.element[:] += counts
        self._shares(np.where(active, x, -np.inf), np.where(taken, top, 0), active)
        self._gaps(np.where(active, x, -np.inf), np.where(taken, top, 0))

    def _shares(self, x: Floats, top: Floats, active: npt.NDArray[np.bool_]) -> None:
        """Elements whose probability is below an LSB."""
        exponentials = np.exp(x - top)
        sums = exponentials.sum(axis=2, keepdims=True)
        for place, fraction in enumerate(FRACTIONS):
            below = (exponentials < sums * 2.0**-fraction) & active
            self.below[:, place] += below.sum(axis=(1, 2))

    def _gaps(self, x: Floats, top: Floats) -> None:
        """From the largest element of a row to the next, which may be as large."""
        if x.shape[2] < 2 or not x.size:
            return
        rest = x.copy()
        np.put_along_axis(rest, x.argmax(axis=2)[:, :, None], -np.inf, axis=2)
        second = rest.max(axis=2, keepdims=True)
        paired = (second > -np.inf)[:, :, 0]
        gaps = np.where(paired, (top - np.where(second > -np.inf, second, 0))[:, :, 0], 0)
        counts = bins.counted(_bins(gaps), self.groups)
        counts[:, bins.SIDE] -= (~paired).sum(axis=1)
        self.gap[:] += counts
        self.pairs[:] += paired.sum(axis=1)
        _fold_ends(self.gap_low, self.gap_high, gaps, paired)

    def merged(self) -> "RowRecord":
        """All groups as one."""
        return RowRecord(
            **{
                field.name: _FOLDS.get(field.name, np.sum)(
                    getattr(self, field.name), axis=0, keepdims=True
                )
                for field in fields(self)
            }
        )

    def of_group(self, group: int) -> "RowRecord":
        """One of the groups."""
        return RowRecord(
            **{field.name: getattr(self, field.name)[[group]] for field in fields(self)}
        )

    def joined(self, other: "RowRecord") -> "RowRecord":
        """Both, group by group."""
        pairs = {
            field.name: np.stack([getattr(self, field.name), getattr(other, field.name)])
            for field in fields(self)
        }
        return RowRecord(
            **{name: _FOLDS.get(name, np.sum)(pair, axis=0) for name, pair in pairs.items()}
        )


_FOLDS = {
    "ranges": np.max, "low": np.min, "high": np.max, "top_low": np.min, "top_high": np.max,
    "spread_low": np.min, "spread_high": np.max, "gap_low": np.min, "gap_high": np.max,
}  # fmt: skip
"""How fields of several records are made one; others are added."""


def _fold_ends(low: Reals, high: Reals, values: Floats, taken: npt.NDArray[np.bool_]) -> None:
    """Hold the least and the most of each group's values, (G, R), as well."""
    least = np.where(taken, values, np.inf).min(axis=1, initial=np.inf)
    most = np.where(taken, values, -np.inf).max(axis=1, initial=-np.inf)
    np.minimum(low, least, out=low)
    np.maximum(high, most, out=high)


def _bins(values: Floats) -> npt.NDArray[np.int32]:
    return bins.bin_of(values.astype(np.float32, copy=False))
