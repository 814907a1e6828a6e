"""The rows that tests send to units."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.coverage_rows import ordinary_rows
from softmaxfx.sim.kind import Kind
from softmaxfx.sim.kinds import kind_of
from softmaxfx.sim.sidecar import Unit


def cut(values: np.ndarray, lengths: Sequence[int] | np.ndarray) -> LogitRows:
    """The first ``lengths[k]`` values of each row k."""
    beyond = np.arange(values.shape[1]) >= np.asarray(lengths)[:, None]
    return LogitRows.from_array(np.where(beyond, np.nan, values))


def random_rows(
    lengths: Sequence[int] | np.ndarray,
    rng: np.random.Generator,
    *,
    spread: float = 4,
    masked: float = 0.0,
) -> LogitRows:
    """Rows of given lengths, normally distributed; a share of the elements is masked."""
    values = rng.normal(0, spread, (len(lengths), max(lengths)))
    values[rng.random(values.shape) < masked] = -np.inf
    return cut(values, lengths)


def rows_of_all_lengths(config: SoftmaxConfig, count: int, seed: int) -> LogitRows:
    """Rows of every length that a unit takes, with masked elements and values beyond the range;
    the first is the shortest, the second the longest, the fourth is all masked."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 5, (count, config.max_length))
    values[rng.random(values.shape) < 0.1] = -np.inf
    values[3] = -np.inf
    lengths = rng.integers(1, config.max_length + 1, count)
    lengths[:2] = 1, config.max_length
    return cut(values, lengths)


def few_rows(length: int = 4, count: int = 40) -> LogitRows:
    """Rows that are there to run at all."""
    return random_rows([length] * count, np.random.default_rng(1), spread=3)


def unit_rows(
    unit: Unit, lengths: Sequence[int] | np.ndarray, seed: int, *, masked: float = 0.0
) -> Any:
    """Rows of given lengths for a unit, with the targets or gradients that it takes."""
    rng = np.random.default_rng(seed)
    return kind_of(unit).rows(random_rows(lengths, rng, masked=masked), unit.config, rng)


def kind_rows(kind: Kind, config: SoftmaxConfig, count: int = 300) -> Any:
    """Ordinary rows for a unit of some kind."""
    rng = np.random.default_rng(0)
    return kind.rows(ordinary_rows(config, count, rng), config, rng)
