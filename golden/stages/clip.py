"""Inputs outside the range become its limit."""

import numpy as np
import numpy.typing as npt

from ..formats import Codes


def clip(x: Codes, limit: int) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """Codes clipped to [-limit, limit], and which of them were outside."""
    clipped = np.clip(x, -limit, limit)
    return clipped, clipped != x
