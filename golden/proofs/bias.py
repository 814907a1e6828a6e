"""The bias of a configuration: the mean signed error over the codes."""

from functools import lru_cache

import numpy as np

from ..config import SoftmaxConfig
from ..measures.metrics import error_ulp
from ..units.softmax import softmax_rows

CHUNK = 1 << 16
"""Codes that are looked at at once."""


@lru_cache(maxsize=64)
def bias_ulp(config: SoftmaxConfig) -> float:
    """Mean of p - exact p over every code x that is not clipped, in output LSB, each in the row
    {x, largest code}: exhaustive (seconds for inputs of more than 20 bits)."""
    total, count = 0.0, config.highest - config.lowest + 1
    config = config.replace(max_length=max(config.max_length, 2))
    for start in range(config.lowest, config.highest + 1, CHUNK):
        x = np.arange(start, min(start + CHUNK, config.highest + 1))
        rows = np.stack([x, np.full_like(x, config.highest)], axis=1)
        result, active = softmax_rows(rows, config), np.ones(rows.shape, bool)
        errors = error_ulp(result.p, rows, active, config, result.exponent)
        total += float(errors[:, 0].sum())
    return total / count
