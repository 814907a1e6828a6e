"""Rows of logits as people have them: one 2-D array, shorter rows and masked elements marked."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .config import SoftmaxConfig
from .given import unmasked
from .types import Bits, Codes, Indices, Integers, Reals

BLOCK = 1 << 16
"""Elements quantised at once: few enough to stay in the cache."""


@dataclass(frozen=True, eq=False)
class LogitRows:
    """Rows of logits of different lengths.

    Attributes:
        values: float64, (rows, elements of the longest row or more); 0 where an element is masked
            or beyond its row's end.
        active: bool, same shape: the elements that take part.
        lengths: elements of each row, masked ones included.
    """

    values: Reals
    active: Bits
    lengths: Integers

    @classmethod
    def from_array(cls, array: npt.ArrayLike) -> "LogitRows":
        """Read a 2-D array: -inf is a masked element, trailing NaN a shorter row.

        What ``numpy.ma`` masks is a masked element, too.

        Raises:
            ValueError: another shape or dtype, no elements, an empty row, a NaN inside a row, or
                +inf; the sentence names the first row and column.
        """
        hidden = np.ma.getmask(array)
        array = unmasked("logits", np.ma.getdata(array) if np.ma.isMaskedArray(array) else array)
        if array.ndim != 2 or array.dtype.kind not in "iuf":
            raise ValueError(
                f"logits must be a 2-D array of real numbers, one row a softmax row, not "
                f"{array.ndim}-D of {array.dtype}"
            )
        if array.size == 0:
            raise ValueError(f"logits must have at least one element, not shape {array.shape}")
        values = np.where(hidden, -np.inf, array.astype(np.float64))
        missing = np.isnan(values)
        lengths = values.shape[1] - np.argmin(missing[:, ::-1], axis=1)
        lengths = np.where(missing.all(axis=1), 0, lengths).astype(np.int64)
        present = np.arange(values.shape[1]) < lengths[:, None]
        _refuse(lengths[:, None] == 0, "must not be an empty row (all NaN)")
        _refuse(missing & present, "must not be NaN before the row's end")
        _refuse(values == np.inf, "must not be +inf")
        active = present & (values != -np.inf)
        return cls(np.where(active, values, 0.0), active, lengths)

    @property
    def present(self) -> Bits:
        """bool, of the shape of ``values``: the elements of the rows, masked ones included."""
        return np.arange(self.values.shape[1]) < self.lengths[:, None]

    @property
    def elements(self) -> int:
        """Elements of all rows, masked ones included."""
        return int(self.lengths.sum())

    def take(self, rows: slice | Indices) -> "LogitRows":
        """Some of the rows, no wider than the longest of them."""
        lengths = self.lengths[rows]
        width = int(lengths.max())
        return LogitRows(self.values[rows, :width], self.active[rows, :width], lengths)

    @classmethod
    def concatenate(cls, parts: "list[LogitRows]") -> "LogitRows":
        """The rows of all parts, in order."""
        width = max(part.values.shape[1] for part in parts)

        def widened(array: np.ndarray) -> np.ndarray:
            return np.pad(array, [(0, 0), (0, width - array.shape[1])])

        return cls(
            np.concatenate([widened(part.values) for part in parts]),
            np.concatenate([widened(part.active) for part in parts]),
            np.concatenate([part.lengths for part in parts]),
        )

    @staticmethod
    def require_length(lengths: Integers, max_length: int) -> None:
        """Raise ``ValueError`` where a row is longer than a unit takes."""
        longest = int(lengths.argmax())
        if lengths[longest] > max_length:
            raise ValueError(
                f"logits must have rows of at most max_length = {max_length} elements, not "
                f"{lengths[longest]} (row {longest})"
            )

    def codes(self, config: SoftmaxConfig) -> Codes:
        """The logits as codes of ``config.input``, saturated to it; 0 where not active.

        The clip to the range is the unit's own work.

        Raises:
            ValueError: a row longer than ``config.max_length``.
        """
        self.require_length(self.lengths, config.max_length)
        codes = np.empty(self.values.shape, np.int64)
        step = max(BLOCK // self.values.shape[1], 1)
        for start in range(0, len(codes), step):
            block = slice(start, start + step)
            codes[block] = config.input.quantize(self.values[block])
        return codes


def _refuse(bad: Bits, rule: str) -> None:
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(f"logits {rule}, as at row {row}, column {column}")
