"""The law of a matrix product's time, fitted to measured times."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...golden.errors import require
from ...golden.types import Reals
from .times import Law

LEAST_RATE = 1e-18
"""Seconds a multiply-add, at least: time never falls with the work."""
TOLERATED = 0.05
"""Relative errors beyond which a time counts by its error alone, not by its square."""
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Timed:
    """A product of (tokens, hidden) and (hidden, words), and its least time in seconds."""

    tokens: int
    hidden: int
    words: int
    seconds: float

    @property
    def work(self) -> int:
        """Multiply-adds."""
        return self.tokens * self.hidden * self.words


@dataclass(frozen=True, slots=True)
class Fit:
    """A law, and how far it is from what was measured.

    Attributes:
        errors: of each time, relative to it.
    """

    law: Law
    timed: tuple[Timed, ...]
    errors: tuple[float, ...]

    @property
    def typical(self) -> float:
        """The median of the errors' sizes."""
        return float(np.median(np.abs(self.errors)))

    @property
    def worst(self) -> float:
        """The largest error, with its sign."""
        return max(self.errors, key=abs)


def fitted(timed: Sequence[Timed]) -> Fit:
    """The law with the least sum of squares of relative errors, outliers counted less.

    Each place to end the floor is tried: the times with less work give the floor, those with more
    the line.

    Raises:
        ConfigError: fewer than four times.
    """
    require(len(timed) >= 4, f"a law must be fitted to at least 4 times, not {len(timed)}")
    by_work = sorted(timed, key=lambda one: one.work)
    work = np.array([one.work for one in by_work], np.float64)
    seconds = np.array([one.seconds for one in by_work])
    laws = [_law(work, seconds, ends) for ends in range(len(by_work) - 2)]
    best = min(laws, key=lambda law: _loss(law, work, seconds))
    errors = best.seconds(work) / seconds - 1
    return Fit(best, tuple(by_work), tuple(errors.tolist()))


def _loss(law: Law, work: Reals, seconds: Reals) -> float:
    """Of the relative errors: squares, and beyond what is tolerated no more than linear."""
    size = np.abs(law.seconds(work) / seconds - 1)
    linear = TOLERATED * (2 * size - TOLERATED)
    return float(np.where(size < TOLERATED, size**2, linear).sum())


def _law(work: Reals, seconds: Reals, ends: int) -> Law:
    """The law whose floor is that of the first times, and whose line that of the others."""
    overhead, rate = _line(work[ends:], seconds[ends:])
    floor = float(np.median(seconds[:ends])) if ends else overhead
    return Law(max(floor, overhead), overhead, rate)


def _line(work: Reals, seconds: Reals) -> tuple[float, float]:
    """Overhead and rate of times that grow with the work, neither below 0."""
    weights = np.ones(len(work))
    overhead, rate = 0.0, 0.0
    for _ in range(ROUNDS):
        overhead, rate = _weighted(work / seconds, 1 / seconds, weights)
        size = np.abs((overhead + rate * work) / seconds - 1)
        weights = TOLERATED / np.maximum(size, TOLERATED)
    return overhead, max(rate, LEAST_RATE)


def _weighted(slope: Reals, level: Reals, weights: Reals) -> tuple[float, float]:
    """(overhead, rate) that bring overhead · level + rate · slope nearest to 1."""
    columns = np.stack([level, slope], axis=1) * np.sqrt(weights)[:, None]
    (overhead, rate), *_ = np.linalg.lstsq(columns, np.sqrt(weights), rcond=None)
    if overhead < 0:
        return 0.0, float((weights * slope).sum() / (weights * slope**2).sum())
    return float(overhead), float(rate)
