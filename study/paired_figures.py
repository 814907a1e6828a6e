"""What pairs of trainings differ by: the mean with its interval, and the worst seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import mpmath

from ..golden.errors import require

CONFIDENCE = 0.95
"""Of intervals."""


@dataclass(frozen=True)
class Promise:
    """What the differences of a preset that is good enough to train with must keep.

    Attributes:
        worst: no seed is worse by more than this, in the measure's unit.
        within: the interval lies between minus and plus this; None: anywhere.
    """

    worst: float
    within: float | None = None


@dataclass(frozen=True)
class Measure:
    """What trained networks are compared by.

    Attributes:
        name: of the value. unit: of the value. of_difference: unit of differences.
        rises: a larger value is better. relative: differences are in per cent of float32's value.
    """

    name: str
    unit: str
    of_difference: str
    rises: bool
    relative: bool
    promise: Promise

    def difference(self, fixed: float, reference: float) -> float:
        """By how much the value rose."""
        return 100 * (fixed / reference - 1) if self.relative else fixed - reference

    def worse(self, difference: float) -> float:
        """By how much a difference is for the worse."""
        return -difference if self.rises else difference


ACCURACY = Measure(
    "held-out accuracy", "%", "points", rises=True, relative=False, promise=Promise(1.5, 0.5)
)
LOSS = Measure(
    "held-out cross-entropy", "nats", "%", rises=False, relative=True, promise=Promise(0.5)
)


@dataclass(frozen=True)
class Pairs:
    """Trainings of one network by one softmax, each beside float32 from the same seed.

    Attributes:
        network, optimiser, softmax: names. promised: the measure's promise counts.
        seeds: at least two. float32, values: of the measure, a seed each.
        clipped: mean share of the logits that the loss clipped.
    """

    network: str
    optimiser: str
    softmax: str
    measure: Measure
    promised: bool
    seeds: tuple[int, ...]
    float32: tuple[float, ...]
    values: tuple[float, ...]
    clipped: float

    @property
    def differences(self) -> tuple[float, ...]:
        """By how much each value is above float32's."""
        return tuple(map(self.measure.difference, self.values, self.float32))

    @property
    def mean_float32(self) -> float:
        return fmean(self.float32)

    @property
    def mean_value(self) -> float:
        return fmean(self.values)

    @property
    def mean(self) -> float:
        return fmean(self.differences)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the mean difference."""
        return paired_interval(self.differences)

    @property
    def worst(self) -> tuple[int, float]:
        """The seed that lost most, and its difference."""
        found = zip(self.seeds, self.differences, strict=True)
        return max(found, key=lambda pair: self.measure.worse(pair[1]))

    @property
    def kept(self) -> bool:
        """The measure's promise is kept."""
        promise, (low, high) = self.measure.promise, self.interval
        inside = promise.within is None or -promise.within <= low <= high <= promise.within
        return inside and self.measure.worse(self.worst[1]) <= promise.worst


def paired_interval(differences: Sequence[float]) -> tuple[float, float]:
    """Student's t interval of the mean of differences, 95 %.

    Raises:
        ConfigError: fewer than two.
    """
    count = len(differences)
    require(count >= 2, f"an interval must be of two seeds or more, not {count}")
    half = t_quantile(count - 1) * stdev(differences) / sqrt(count)
    return fmean(differences) - half, fmean(differences) + half


def t_quantile(freedom: int) -> float:
    """The t that Student's distribution leaves 5 % beyond, both sides together: the root of the
    regularised incomplete beta function I(freedom / (freedom + t^2); freedom / 2, 1 / 2) = 0.05.
    """

    def beyond(t: Any) -> Any:
        share = freedom / (freedom + t * t)
        return mpmath.betainc(freedom / 2, 0.5, 0, share, regularized=True) - (1 - CONFIDENCE)

    return float(mpmath.findroot(beyond, (1.9, 13), solver="anderson"))
