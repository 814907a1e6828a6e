"""How far an element lies below its row's maximum."""

import numpy as np

from .formats import Codes


def difference(x: Codes, maximum: Codes, span: int) -> Codes:
    """max - x in input LSB, saturated at ``span`` (twice the range); 0 for the maximum itself."""
    return np.minimum(maximum - x, span)
