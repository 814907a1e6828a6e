"""Some rows of many, each with the same chance, in memory that is bounded."""

import heapq
from dataclasses import dataclass, field

import numpy as np

from ..rows import LogitRows
from .row_record import Floats


@dataclass(eq=False)
class RowSample:
    """Rows that were kept: those with the smallest of keys that are drawn at random.

    Attributes:
        most_rows, most_elements: that are kept, at most; of longer rows fewer, but one at least.
        generator: of the keys.
    """

    most_rows: int
    most_elements: int
    generator: np.random.Generator
    _kept: list[tuple[float, int, Floats]] = field(default_factory=list)  # a heap, by -key
    _elements: int = 0
    _count: int = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, rows: Floats) -> None:
        """Offer rows, (R, n); -inf takes no part. Those without an element, or with NaN or +inf,
        are left out."""
        keys = self.generator.random(len(rows))
        worst = -self._kept[0][0] if len(self._kept) >= self.most_rows else np.inf
        for place in np.flatnonzero(keys < worst):
            row = rows[place][rows[place] != -np.inf]
            if row.size and np.isfinite(row).all():
                self._keep(float(keys[place]), row)

    def _keep(self, key: float, row: Floats) -> None:
        self._count += 1
        heapq.heappush(self._kept, (-key, self._count, row))
        self._elements += row.size
        while len(self._kept) > max(self.most_rows, 1) or (
            self._elements > self.most_elements and len(self._kept) > 1
        ):
            self._elements -= heapq.heappop(self._kept)[2].size

    def rows(self) -> LogitRows | None:
        """What was kept, in the order in which it came; None where nothing was."""
        kept = [row for _, _, row in sorted(self._kept, key=lambda one: one[1])]
        if not kept:
            return None
        values = np.full((len(kept), max(row.size for row in kept)), np.nan)
        for place, row in enumerate(kept):
            values[place, : row.size] = row
        return LogitRows.from_array(values)
