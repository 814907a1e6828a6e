"""The sum of a row's exponentials, in fixed point."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..config import SoftmaxConfig
from ..types import Codes
from .exp import ExpTable, exp_table
from .leading_one import leading_one
from .window import Window


@dataclass(frozen=True, slots=True)
class Accumulate:
    """Aligns mantissas to one binary point and adds them.

    In ``max_subtract`` a term is truncated once, when it is aligned. Truncating at ``fraction``
    bits loses at most as much as rounding at one bit less would, and needs no adder in every lane.
    In ``exact_sum`` there are as many fraction bits as the smallest term needs: nothing is lost.

    Attributes:
        mantissa_bits: width of a mantissa; its leading bit has the weight 2**-shift.
        fraction: fraction bits of the sum.
        max_length: terms that the sum can hold.
    """

    mantissa_bits: int
    fraction: int
    max_length: int

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Accumulate":
        return cls(config.widths.mantissa_bits, config.widths.sum_fraction, config.max_length)

    @property
    def term_bits(self) -> int:
        """Width of an aligned term: mantissas are below 2."""
        return self.fraction + 1

    @property
    def sum_bits(self) -> int:
        """Width of the sum. A mantissa with shift 0 is exp(0) = 1 or less."""
        return (self.max_length << self.fraction).bit_length()

    def align(self, mantissa: Codes, shift: Codes) -> Codes:
        """Mantissas as fixed-point terms, in units of 2**-fraction."""
        return (mantissa << (self.fraction - self.mantissa_bits + 1)) >> shift

    def __call__(self, mantissa: Codes, shift: Codes) -> Codes:
        """Sum over the last axis (kept as length 1), in units of 2**-fraction."""
        return self.align(mantissa, shift).sum(axis=-1, keepdims=True, dtype=np.int64)


def row_sum(config: SoftmaxConfig) -> Accumulate | Window:
    """The sum's stage of a configuration."""
    return Window.of(config) if config.path.window else Accumulate.of(config)


def leading_zeros(config: SoftmaxConfig) -> int:
    """Leading bits of a mantissa that its share in the further exp tables can cost, in a row that
    has no other term: 0 where distances are from the maximum, whose mantissa is 1."""
    path = config.path
    return 0 if path.origin is None else _lost_bits(exp_table(config), path.nearest, path.reach)


@lru_cache(maxsize=256)
def _lost_bits(stage: ExpTable, nearest: int, reach: int) -> int:
    """Leading bits that the mantissas of an exp stage lack at most: exhaustive."""
    mantissa, _ = stage(np.arange(nearest, reach + 1))
    return stage.mantissa_bits - 1 - int(leading_one(mantissa).min())


def lowest_exponent(config: SoftmaxConfig) -> int:
    """No row's sum S = s * 2**q, s in [1, 2), has a smaller q: that of the smallest only term."""
    return -config.path.largest_shift - leading_zeros(config)
