"""The sum of a row's exponentials around its largest one: three limbs, whatever the range.

A limb has 16 places. A mantissa that starts at place p starts in limb p // 16 and reaches into the
next one: what it adds to either is a part. With T the highest limb in which a mantissa of the row
starts, parts that fall below limb T - 1 are dropped, all others are added without loss. What is
added depends on the elements of a row alone, not on their order: T only rises while they come, so a
limb that is kept in the end was kept whenever a part for it came.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import SoftmaxConfig
from ..types import Codes
from .leading_one import leading_one

LIMB_BITS = 16
"""Places of a limb."""
_MASK = (1 << LIMB_BITS) - 1


@dataclass(frozen=True, eq=False, slots=True)
class WindowSum:
    """Sums of rows, rows along the first axes: the limbs from T - 1 up, carries done.

    Attributes:
        top: T. high: the sum from limb T up, in units of its LSB. low: limb T - 1.
        fraction: the LSB of limb 0 is 2**-fraction.
    """

    top: Codes
    high: Codes
    low: Codes
    fraction: int

    def __getitem__(self, rows: Any) -> "WindowSum":
        """Some of the sums."""
        return WindowSum(self.top[rows], self.high[rows], self.low[rows], self.fraction)

    def significand(self, kept: int, lowest: int) -> tuple[Codes, Codes]:
        """(q, s): see :func:`.leading_one.significand`."""
        place = leading_one(self.high)  # above limb T: a mantissa starts there
        q = np.maximum(self.top * LIMB_BITS + place - self.fraction, lowest)
        below = place - kept  # bits of ``high`` below those that are kept
        further = np.maximum(-below, 0)  # bits that ``high`` lacks: those of ``low`` lead
        lead = self.low << np.maximum(further - LIMB_BITS, 0)
        lead = lead >> np.maximum(LIMB_BITS - further, 0)
        s = np.where(below >= 0, self.high >> np.maximum(below, 0), self.high << further | lead)
        return q, s & ((1 << kept) - 1)


@dataclass(frozen=True, slots=True)
class Window:
    """Splits mantissas into the parts that limbs add, and adds those that are kept.

    Attributes:
        mantissa_bits: width of a mantissa; its leading bit has the weight 2**-shift.
        fraction: fraction bits that a sum without loss would have.
        max_length: terms that the sum can hold.
    """

    mantissa_bits: int
    fraction: int
    max_length: int

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Window":
        return cls(config.widths.mantissa_bits, config.widths.sum_fraction, config.max_length)

    @property
    def largest_place(self) -> int:
        """Of a mantissa with shift 0."""
        return self.fraction - self.mantissa_bits + 1

    @property
    def sum_bits(self) -> int:
        """Width of the sum from limb T - 1 up."""
        term = ((1 << self.mantissa_bits) - 1) << (2 * LIMB_BITS - 1)
        return (self.max_length * term).bit_length()

    def __call__(self, mantissa: Codes, shift: Codes) -> WindowSum:
        """Sums over the last axis (kept as length 1)."""
        place = np.where(mantissa > 0, self.largest_place - shift, 0)
        limb = place // LIMB_BITS
        top = limb.max(axis=-1, keepdims=True)
        moved = mantissa << (place % LIMB_BITS)
        lower, upper = moved & _MASK, moved >> LIMB_BITS

        def sums(parts: Codes, into: Codes) -> list[Codes]:
            """Of the parts that fall into limbs T - 1, T and T + 1."""
            kept = [np.where(into == top + above, parts, 0) for above in (-1, 0, 1)]
            return [part.sum(axis=-1, keepdims=True, dtype=np.int64) for part in kept]

        of_both = zip(sums(lower, limb), sums(upper, limb + 1), strict=True)
        below, at, above = (a + b for a, b in of_both)
        high = at + (above << LIMB_BITS) + (below >> LIMB_BITS)
        return WindowSum(top, high, below & _MASK, self.fraction)
