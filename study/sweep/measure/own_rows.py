"""Arrays of a user's own, held against the rows of logits that they belong to."""

import numpy as np

from ....golden.config import SoftmaxConfig
from ....golden.rows import LogitRows
from ....golden.types import Integers, Reals

NO_TARGET = -1
"""The class index of a row without a loss."""


def checked_gradients(array: np.ndarray, logits: LogitRows) -> Reals:
    """dP of every element, (rows, longest row); 0 beyond a row's end.

    Raises:
        ValueError: another shape or dtype, or a value that is not finite.
    """
    shape = logits.values.shape
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise ValueError(
            f"gradients must be real numbers of the shape {shape} of the logits, not {array.dtype} "
            f"of {array.shape}"
        )
    dp = np.where(logits.present, array.astype(np.float64), 0.0)
    if not np.isfinite(dp).all():
        row, column = np.argwhere(~np.isfinite(dp))[0]
        raise ValueError(f"gradients must be finite, unlike row {row}, column {column}")
    return dp


def checked_targets(array: np.ndarray, logits: LogitRows) -> Integers:
    """A class index for every row, (rows,); any below 0 is a row without a loss, and becomes -1.

    Raises:
        ValueError: another shape or dtype, or an index that 32 bits do not hold.
    """
    shape = logits.lengths.shape
    if array.shape != shape or array.dtype.kind not in "iu":
        raise ValueError(
            f"targets must be whole numbers, one for each of the {shape[0]} rows, not "
            f"{array.dtype} of {array.shape}"
        )
    large = np.flatnonzero(array >= 2**32)
    if large.size:
        raise ValueError(
            f"targets must be below 0, for none, or from 0 to {2**32 - 1}, not {array[large[0]]} "
            f"(row {large[0]})"
        )
    return np.maximum(array.astype(np.int64), NO_TARGET)


def checked_words(array: np.ndarray, logits: LogitRows, config: SoftmaxConfig) -> Integers:
    """A word for every token, (tokens,); any below 0 is a token without a loss, and becomes -1.

    Raises:
        ValueError: another shape or dtype, an id that 32 bits do not hold, or logits that are not
            the rows that the words ask for.
    """
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(
            f"words must be whole numbers, one a token, not {array.dtype} of {array.shape}"
        )
    large = np.flatnonzero(array >= 2**32)
    if large.size:
        raise ValueError(
            f"words must be below 0, for none, or from 0 to {2**32 - 1}, not {array[large[0]]} "
            f"(token {large[0]})"
        )
    words = np.maximum(array.astype(np.int64), NO_TARGET)
    cluster = config.clusters.locate(words)[0]
    rows = [j for last in cluster.tolist() for j in dict.fromkeys((0, last)) if last >= 0]
    if len(rows) != len(logits.lengths):
        raise ValueError(
            f"logits must be the {len(rows)} rows that the words ask for, not {len(logits.lengths)}"
        )
    lengths = np.array(config.clusters.lengths)[rows]
    other = np.flatnonzero(lengths != logits.lengths)
    if other.size:
        row = int(other[0])
        raise ValueError(
            f"logits must have {lengths[row]} elements in row {row}, of cluster {rows[row]}, not "
            f"{logits.lengths[row]}"
        )
    return words
