"""How far an element lies below its row's maximum."""

import numpy as np
import numpy.typing as npt

from .formats import Codes


def difference(x: Codes, maximum: Codes, span: int) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """max - x in input LSB, saturated at ``span`` (twice the range), and where it saturated."""
    distance = maximum - x
    return np.minimum(distance, span), distance > span
