"""The place of a row's largest element."""

import numpy as np

from ..types import Bits, Codes


def argmax(codes: Codes, active: Bits) -> Codes:
    """The first place of the largest active element of each row, (rows,); 0 where none is active.

    Args:
        codes: (rows, elements). active: same shape.
    """
    return np.argmax(np.where(active, codes, np.iinfo(np.int64).min), axis=-1)
