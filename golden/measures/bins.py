"""Histograms with bins that are the same for all data, so that counts of any parts can be added.

A bin holds the float32 numbers of one sign whose leading bits are equal: 16 bins an octave from
2^-8 to 2^14, and one around 0. A number's bin is found by a shift of its bits.
"""

import numpy as np
import numpy.typing as npt

from ..types import Integers, Reals

_DROPPED = 23 - 4
"""Bits of a float32's mantissa below those that tell bins apart."""
_LEAST, _MOST = -8, 14
"""Powers of two between which the bins lie."""
_FIRST = (127 + _LEAST) << (23 - _DROPPED)
SIDE = (_MOST - _LEAST) << (23 - _DROPPED)
"""Bins of either sign, besides the one of 0."""
COUNT = 2 * SIDE + 1
"""All bins, from the lowest numbers to the highest."""


def bin_of(x: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """Bins of numbers, of x's shape; what lies beyond the last one is in it."""
    bits = np.ascontiguousarray(x).view(np.int32)
    place = bits & 0x7FFFFFFF
    place >>= _DROPPED
    place -= _FIRST - 1
    np.maximum(place, 0, out=place)
    np.minimum(place, SIDE, out=place)
    sign = (bits >> 31) | 1  # -1 or 1
    place *= sign
    place += SIDE
    return place


def _edges() -> Reals:
    """The lowest number of each bin, and the highest of the last one, (COUNT + 1,)."""
    bits = np.arange(_FIRST, _FIRST + SIDE + 1, dtype=np.int32) << _DROPPED
    positive = bits.view(np.float32).astype(np.float64)
    return np.concatenate([-positive[::-1], positive])


EDGES = _edges()


def counted(bins: npt.NDArray[np.int32], groups: int) -> Integers:
    """Counts of bins, (groups, COUNT), of an array whose first axis is the group."""
    offset = np.arange(groups, dtype=np.int32).reshape(-1, *[1] * (bins.ndim - 1)) * COUNT
    found = np.bincount((bins + offset).ravel(), minlength=groups * COUNT)
    return found.reshape(groups, COUNT)


def percentiles(counts: Integers, shares: npt.ArrayLike, low: float, high: float) -> Reals:
    """The numbers below which shares of what was counted lie, by straight lines inside of bins.

    Args:
        counts: (COUNT,). low, high: the least and the largest number, which no result is beyond.
    """
    reached = np.concatenate([[0], np.cumsum(counts)])
    found = np.interp(np.asarray(shares) * reached[-1], reached, EDGES)
    return np.clip(found, low, high)
