"""The bias of a configuration: the mean signed error over the codes."""

from functools import lru_cache

import numpy as np

from ..config import SoftmaxConfig
from ..stages.accumulate import row_sum
from ..stages.exp import exp_table
from ..stages.probability import Elements, output_stage
from ..stages.row_exponent import RowExponent
from ..types import Codes, Reals

CHUNK = 1 << 16
"""Codes that are looked at at once."""


@lru_cache(maxsize=64)
def bias_ulp(config: SoftmaxConfig) -> float:
    """Mean of p - exact p over every code x that is not clipped, in output LSB, each in the row
    {x, largest code}: exhaustive (seconds for inputs of more than 20 bits)."""
    count = config.highest - config.lowest + 1
    config = config.replace(max_length=max(config.max_length, 2))
    below = (np.arange(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK))
    return sum(float(_errors(config, each).sum()) for each in below) / count


def _errors(config: SoftmaxConfig, below: Codes) -> Reals:
    """Errors of elements that lie some LSB below the other one of their row."""
    path = config.path
    if path.origin is None:
        below = np.minimum(below, config.span)
    u = np.stack([below, np.zeros_like(below)], axis=1) + path.nearest
    mantissa, shift = exp_table(config)(np.minimum(u, path.reach))
    total = row_sum(config)(mantissa, shift)
    exponent = np.zeros((len(u), 1), np.int64)
    if config.has_exponent:
        exponent = RowExponent.of(config)(u[:, 1:], total)
    elements = Elements(u, mantissa, shift, np.ones(u.shape, bool))
    p = output_stage(config)(elements, total, exponent)[:, 0]
    nats = config.scale * config.input.lsb * below
    if config.function == "log_softmax":
        return np.float64(p) + np.log1p(np.exp(np.minimum(nats, 700))) * 2.0**config.output.f
    exact = np.ldexp(1 / (1 + np.exp(np.minimum(nats, 700))), config.output.f + exponent[:, 0])
    return np.subtract(p, np.minimum(exact, config.one))
