"""The active elements of rows of different lengths, one after the other without the gaps.

Half of the padded array of rows of all lengths is padding. What is computed element by element is
computed on a flat array of the active elements; what is summed as floats goes back into the padded
array, so that it is added in the order, and has the bits, of the golden metrics.
"""

import numpy as np

from ....golden.rows import LogitRows
from ....golden.types import Bits, Codes, Reals


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
        self.rows = rows
        self.shape = rows.values.shape
        self.place = np.flatnonzero(rows.active)
        self.row = self.place // self.shape[1]
        self.filled, self._starts = np.unique(self.row, return_index=True)
        self._padded = np.zeros(self.shape)

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
        total[self.filled] = np.add.reduceat(flat, self._starts, dtype=np.int64)
        return total

    def real_sums(self, flat: Reals) -> Reals:
        """Sums of each row's floats, (R,), with the bits of a sum over the padded array."""
        self._padded.reshape(-1)[self.place] = flat
        return self._padded.sum(axis=-1)

    def largest(self, flat: np.ndarray) -> np.ndarray:
        """Each row's largest, (R,); 0 without an active element."""
        most = np.zeros(self.shape[0], flat.dtype)
        most[self.filled] = np.maximum.reduceat(flat, self._starts)
        return most

    def is_largest(self, flat: np.ndarray) -> Bits:
        """Which elements are as large as the largest of their row."""
        return flat == self.spread(self.largest(flat))

    def find(self, rows: Codes, columns: Codes) -> Codes:
        """Where elements of the padded array are in the flat one; they are active."""
        return np.searchsorted(self.place, rows * self.shape[1] + columns)
