"""The largest element of a row."""

import numpy as np

from ..types import Bits, Codes


def row_max(x: Codes, active: Bits, lowest: int) -> Codes:
    """Maximum over the active elements of each row (last axis, kept as length 1).

    A row without an active element has the maximum ``lowest``.
    """
    return np.where(active, x, lowest).max(axis=-1, keepdims=True, initial=lowest)
