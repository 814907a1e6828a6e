"""How far an element lies below its row's maximum, or below a code that all rows share."""

import numpy as np

from ..types import Bits, Codes


def difference(x: Codes, maximum: Codes, span: int, reach: int) -> tuple[Codes, Bits]:
    """max - x in input LSB, saturated at ``reach``, and where it is clipped: above ``span``.

    Args:
        span: twice the range.
        reach: the span where the distance itself is wanted, or less: beyond the reach of the exp
            tables an exponential is nothing.
    """
    distance = maximum - x
    return np.minimum(distance, reach), distance > span
