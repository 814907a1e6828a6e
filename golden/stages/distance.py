"""How far every element lies below its row's maximum, or below a fixed code."""

import numpy as np

from ..config import SoftmaxConfig
from ..types import Bits, Codes
from .difference import difference
from .row_max import row_max


def distance(codes: Codes, active: Bits, config: SoftmaxConfig) -> tuple[Codes, Bits]:
    """(distances in input LSB, which of them were saturated); rows along the last axis."""
    if config.path.origin is not None:
        return config.path.origin - codes, np.zeros(codes.shape, bool)
    maximum = row_max(codes, active, lowest=config.input.min_code)
    return difference(codes, maximum, config.span, config.span)
