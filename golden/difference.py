"""How far an element lies below its row's maximum."""

import numpy as np
import numpy.typing as npt

from .formats import Codes


def difference(
    x: Codes, maximum: Codes, span: int, reach: int
) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """max - x in input LSB, and where it was clipped.

    Args:
        span: twice the range; a larger difference counts as clipped.
        reach: the result saturates here; ``reach <= span``, and beyond it exp is nothing.
    """
    distance = maximum - x
    return np.minimum(distance, reach), distance > span
