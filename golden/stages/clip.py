"""Inputs outside the range become its limit."""

import numpy as np

from ..types import Bits, Codes


def clip(x: Codes, limit: int) -> tuple[Codes, Bits]:
    """Codes clipped to [-limit, limit], and which of them were outside."""
    clipped = np.clip(x, -limit, limit)
    return clipped, clipped != x
