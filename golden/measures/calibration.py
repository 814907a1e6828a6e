"""Whether a classifier that says 90 % is right in 90 % of the cases."""

import numpy as np

from ..types import Reals

BINS = 15


def calibration_error(confidence: Reals, right: Reals) -> float | None:
    """Expected calibration error of rows, from 0 to 1; ``None`` without rows.

    Rows are put into bins of equal width by their confidence, (low, high]; the error is the mean
    over rows of the distance of their bin's mean confidence from its share of right rows. See Guo
    et al., "On Calibration of Modern Neural Networks", 2017.

    Args:
        confidence: the largest probability of each row.
        right: 1 where it is that of the row's class, its share where several are as large.
    """
    if not confidence.size:
        return None
    place = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    apart = np.bincount(place, weights=confidence - right, minlength=BINS)
    return float(np.abs(apart).sum() / confidence.size)
