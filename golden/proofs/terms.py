"""What every distance contributes to a row: exact exp, the hardware's exp, the sum's term."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..stages.accumulate import Accumulate
from ..stages.exp import exp_table
from ..types import Reals

SLACK = 2.0**-48
"""Relative error granted to float64 reference values; each is good to a few 2**-53."""


def slack(config: SoftmaxConfig) -> float:
    """:data:`SLACK`, and more where exponents are large: so much their own rounding changes exp.

    Where the sum is whole, exp of a large exponent is nothing beside what is compared with it.
    """
    if not config.path.window:
        return SLACK
    largest = config.path.farthest * config.scale * config.input.lsb
    return SLACK * max(largest / 32, 1.0)


@dataclass(frozen=True, slots=True)
class Terms:
    """Of every distance from the nearest to the reach, in this order.

    Where the sum is a window, a distance's terms are 2**shift times as large: what is far away
    would be nothing in float64, and only their ratios are asked for.
    """

    exact: Reals
    rounded: Reals
    summed: Reals

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Terms":
        u = np.arange(config.path.nearest, config.path.reach + 1)
        stage, step = exp_table(config), config.scale * config.input.lsb
        mantissa, shift = stage(u)
        if config.path.window:
            rounded = np.ldexp(mantissa.astype(np.float64), 1 - stage.mantissa_bits)
            return cls(np.exp(shift * np.log(2) - step * u), rounded, rounded)
        total = Accumulate.of(config)
        return cls(
            exact=np.exp(-step * u),
            rounded=stage.value(u),
            summed=np.ldexp(total.align(mantissa, shift).astype(np.float64), -total.fraction),
        )


@dataclass(frozen=True, slots=True)
class Worst:
    """The largest error before rounding.

    Attributes:
        error: largest |p - exact p|.
        distance: at which it is reached, in input LSB.
        exp_error: range of the relative error of exp.
    """

    error: float
    distance: int
    exp_error: tuple[float, float]


def relative_error(terms: Terms, least: float) -> tuple[float, float]:
    """Range of the relative error of every exp that is above ``least``."""
    seen = terms.exact > least
    relative = terms.rounded[seen] / terms.exact[seen] - 1
    return float(relative.min()), float(relative.max())
