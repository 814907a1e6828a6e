"""The active elements of rows of different lengths, one after the other without the gaps.

Half of the padded array of rows of all lengths is padding. What is computed element by element is
computed on a flat array of the active elements; what is summed as floats goes back into the padded
array, so that it is added in the order, and has the bits, of a sum over the padded array.
"""

import numpy as np

from ..rows import LogitRows
from ..types import Bits, Codes, Integers, Reals


class Ragged:
    """Where the active elements of rows lie.

    Attributes:
        rows: the rows, R of them.
        shape: of their padded array.
        place: (elements,): of each active element in the flattened padded array, rising.
        row: (elements,): of each active element.
        filled: the rows with an active element.
    """

    def __init__(self, rows: LogitRows) -> None:
        self.rows, self.shape = rows, rows.values.shape
        self.place = np.flatnonzero(rows.active)
        counts = np.count_nonzero(rows.active, axis=1)
        self.row: Integers = np.repeat(np.arange(len(counts)), counts)
        self.filled = np.flatnonzero(counts)
        self._starts = (np.cumsum(counts) - counts)[self.filled]
        self._padded = np.zeros(self.shape)

    @property
    def size(self) -> int:
        """Active elements of all rows."""
        return self.place.size

    def flat(self, padded: np.ndarray) -> np.ndarray:
        """The active elements of a padded array."""
        return padded.reshape(-1)[self.place]

    def padded(self, flat: np.ndarray) -> np.ndarray:
        """Active elements as a padded array, 0 elsewhere."""
        array = np.zeros(self.shape, flat.dtype)
        array.reshape(-1)[self.place] = flat
        return array

    def spread(self, of_row: np.ndarray) -> np.ndarray:
        """What rows have, (R,), for each of their active elements."""
        return of_row[self.row]

    def sums(self, flat: np.ndarray) -> Codes:
        """Sums of each row's integers, (R,); 0 without an active element."""
        total = np.zeros(self.shape[0], np.int64)
        if self.size:
            total[self.filled] = np.add.reduceat(flat, self._starts, dtype=np.int64)
        return total

    def real_sums(self, flat: Reals) -> Reals:
        """Sums of each row's floats, (R,), with the bits of a sum over the padded array."""
        self._padded.reshape(-1)[self.place] = flat
        return self._padded.sum(axis=-1)

    def largest(self, flat: np.ndarray) -> np.ndarray:
        """Each row's largest, (R,); 0 without an active element."""
        most = np.zeros(self.shape[0], flat.dtype)
        if self.size:
            most[self.filled] = np.maximum.reduceat(flat, self._starts)
        return most

    def is_largest(self, flat: np.ndarray) -> Bits:
        """Which elements are as large as the largest of their row."""
        return flat == self.spread(self.largest(flat))

    def find(self, rows: Codes, columns: Codes) -> Codes:
        """Where elements of the padded array are in the flat one; they are active."""
        return np.searchsorted(self.place, rows * self.shape[1] + columns)
