"""The sum of a row's exponentials, in fixed point."""

from dataclasses import dataclass

import numpy as np

from .config import SoftmaxConfig
from .formats import Codes


@dataclass(frozen=True, slots=True)
class Accumulate:
    """Aligns mantissas to one binary point and adds them.

    A term is truncated once, when it is aligned. Truncating at ``fraction`` bits loses at most as
    much as rounding at one bit less would, and needs no adder in every lane.

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
