"""What the unit gives of an element: the last stage, one object for each function it can be."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..types import Bits, Codes
from .leading_one import RowSums
from .log_probability import LogProbability
from .normalize import Normalize
from .reciprocal import ReciprocalTable, reciprocal_table


@dataclass(frozen=True, eq=False, slots=True)
class Elements:
    """Rows of elements after exp.

    Attributes:
        distance: max - x, saturated at the span, or the distance from a fixed code, in input LSB.
        mantissa, shift: exp of the distance; mantissa 0 where not active.
        active: bool: the element takes part.
    """

    distance: Codes
    mantissa: Codes
    shift: Codes
    active: Bits


@dataclass(frozen=True, eq=False, slots=True)
class Probability:
    """p = exp / S; exactly 0 for an element that takes no part."""

    reciprocal: ReciprocalTable
    normalize: Normalize

    def __call__(self, elements: Elements, total: RowSums, exponent: Codes | int = 0) -> Codes:
        """Codes of p * 2**exponent."""
        r, q = self.reciprocal(total)
        return self.normalize(elements.mantissa, elements.shift, r, q - exponent)


@dataclass(frozen=True, eq=False, slots=True)
class Logarithm:
    """log p; the lowest code for an element that takes no part."""

    log: LogProbability

    def __call__(self, elements: Elements, total: RowSums, exponent: Codes | int = 0) -> Codes:
        """Codes of log p, which has no exponent."""
        codes = self.log(elements.distance, total)
        return np.where(elements.active, codes, self.log.lowest)


def output_stage(config: SoftmaxConfig) -> Probability | Logarithm:
    """The last stage of a configuration."""
    if config.function == "log_softmax":
        return Logarithm(LogProbability.of(config, config.output))
    return Probability(reciprocal_table(config), Normalize.of(config))
