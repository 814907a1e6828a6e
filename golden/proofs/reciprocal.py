"""How far 1 / S of a row is off, over every sum there can be."""

from functools import lru_cache

import numpy as np

from ..config import SoftmaxConfig
from ..stages.reciprocal import ReciprocalTable, segments

CHUNK = 1 << 20
"""Table inputs that are looked at at once."""


def reciprocal_error(config: SoftmaxConfig) -> tuple[float, float]:
    """Range of r * S - 1 over every sum of at least 1: exhaustive over the table's inputs."""
    widths = config.widths
    return _reciprocal_error(
        widths.reciprocal_bits, widths.reciprocal_index, widths.reciprocal_step
    )


@lru_cache(maxsize=256)
def _reciprocal_error(bits: int, index: int, step: int) -> tuple[float, float]:
    """The same for all configurations whose table has these widths."""
    # r does not depend on where the sum's binary point lies
    base, slope = segments(bits, index)
    stage = ReciprocalTable(base, slope, bits, index, step, fraction=0, lowest=0)
    kept = index + step
    worst = []
    for start in range(0, 1 << kept, CHUNK):
        s = np.arange(start, min(start + CHUNK, 1 << kept))
        r = stage.mantissa(s) * 2.0**-stage.bits
        # sums that share a table input fill the interval up to the next one
        low, high = r * (1 + s * 2.0**-kept) - 1, r * (1 + (s + 1) * 2.0**-kept) - 1
        worst.append((low.min(), high.max()))
    return float(min(worst)[0]), float(max(high for _, high in worst))
