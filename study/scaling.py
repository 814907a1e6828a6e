"""The power of two by which recorded gradients fit a format.

Gradients are proportional to the loss, which training scales so that they fill their format: each
recording gets the largest power by which none of its gradients saturates.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ..golden.formats import Format
from ..golden.types import Integers


def fitting_powers(peaks: npt.ArrayLike, fmt: Format) -> Integers:
    """The exponents of these powers, of the shape of ``peaks``.

    Args:
        peaks: the largest |gradient| of each recording; one of 0 counts as 1.
    """
    largest = np.asarray(peaks, np.float64)
    largest = np.where(largest > 0, largest, 1.0)
    return np.floor(np.log2(fmt.max_code * fmt.lsb / largest)).astype(np.int64)


def scaling_note(whose: str, powers: Iterable[int], fmt: Format) -> str:
    """What a user should know of gradients that were scaled, a sentence."""
    return f"{whose} are scaled by {', '.join(f'2^{power}' for power in powers)} to fit {fmt}"
