"""The rows that a unit is driven by while its coverage is measured."""

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.rows import LogitRows


def ordinary_rows(config: SoftmaxConfig, count: int, rng: np.random.Generator) -> LogitRows:
    """Rows of all lengths and of spreads from an LSB to the whole range, some elements masked."""
    spread = np.exp2(rng.uniform(-config.input.f, np.log2(config.range), (count, 1)))
    values = rng.normal(0, 1, (count, config.max_length)) * spread
    values[rng.random(values.shape) < 0.05] = -np.inf
    return _cut(values, rng.integers(1, config.max_length + 1, count))


def extreme_rows(config: SoftmaxConfig, count: int, rng: np.random.Generator) -> LogitRows:
    """Rows at the edges of the range, of the sum and of the length; then many of one element."""
    limit, lsb, shape = config.range, config.input.lsb, (count // 4, config.max_length)
    lowest, highest = config.input.min_code * lsb, config.input.max_code * lsb
    edges = [-limit - lsb, -limit, lsb - limit, -lsb, 0, lsb, limit - lsb, limit, limit + lsb]
    edges += [lowest, highest, -np.inf]
    equal = np.repeat(rng.choice(edges, (shape[0], 1)), config.max_length, axis=1)
    mixed = rng.choice(edges, shape)
    ripple = np.where(rng.random(shape) < 0.05, rng.uniform(-limit, limit, shape), limit)
    single = rng.normal(0, limit, (4 * count, config.max_length))
    full = np.full(3 * shape[0], config.max_length)
    return _cut(
        np.concatenate([equal, mixed, ripple, single]), np.append(full, np.ones(4 * count, int))
    )


def _cut(values: np.ndarray, lengths: np.ndarray) -> LogitRows:
    beyond = np.arange(values.shape[1]) >= lengths[:, None]
    return LogitRows.from_array(np.where(beyond, np.nan, values))
