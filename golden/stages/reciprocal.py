"""1 / S as a mantissa and a shift: leading-one normalisation, then a table of linear segments.

S = s * 2**q with s in [1, 2). The leading ``index`` fraction bits of s choose a segment, the next
``step`` bits a place in it, further bits are dropped:

    r = (base[j] * 2**step - slope[j] * t) / 2**(step + GUARD)

A segment's slope is that of its chord; its base lies half the chord's largest deviation below the
chord's start, which makes the error of both signs equal. Half an LSB of r is stored in ``base``, so
that dropping the low bits rounds half up without an adder. 1/s is at most 1, for which there is no
code: the first segment starts below it, so that r never overflows.
"""

from dataclasses import dataclass
from functools import lru_cache

import mpmath

from ..config import SoftmaxConfig
from ..types import Codes
from .accumulate import lowest_exponent
from .exact import Real, table
from .leading_one import RowSums, significand

GUARD = 3
"""Bits that the table's base keeps beyond those of the result."""


@dataclass(frozen=True, eq=False)
class ReciprocalTable:
    """The reciprocal stage of a configuration: its table contents and its function.

    Attributes:
        base: value at each segment's start, in units of 2**(-bits - GUARD), plus half an LSB of r.
        slope: drop over each segment, in the same units.
        bits: width of the result.
        index: index bits; ``step``: interpolation bits.
        fraction: fraction bits of the sum that is inverted. lowest: its least exponent.
    """

    base: Codes
    slope: Codes
    bits: int
    index: int
    step: int
    fraction: int
    lowest: int

    @property
    def base_bits(self) -> int:
        """Width of a base, in bits: one more than the mantissa's and GUARD, for s = 1."""
        return int(self.base.max()).bit_length()

    @property
    def slope_bits(self) -> int:
        """Width of a slope, in bits."""
        return int(self.slope.max()).bit_length()

    @property
    def kept(self) -> int:
        """Bits of a significand that the table takes."""
        return self.index + self.step

    def significand(self, total: RowSums) -> tuple[Codes, Codes]:
        """(q, s) of sums, see :func:`.leading_one.significand`."""
        return significand(total, self.fraction, self.kept, self.lowest)

    def mantissa(self, s: Codes) -> Codes:
        """r, ``bits`` wide, for s in [1, 2) as ``index + step`` fraction bits (without the 1)."""
        segment, place = s >> self.step, s & ((1 << self.step) - 1)
        r = (self.base[segment] << self.step) - self.slope[segment] * place
        return r >> (self.step + GUARD)

    def __call__(self, total: RowSums) -> tuple[Codes, Codes]:
        """(r, q) of sums: 1 / S is r * 2**(-bits - q) for sums of at least 2**lowest."""
        q, s = self.significand(total)
        return self.mantissa(s), q


@lru_cache(maxsize=64)
def reciprocal_table(config: SoftmaxConfig) -> ReciprocalTable:
    """The reciprocal stage of a configuration, every entry correctly rounded."""
    widths = config.widths
    base, slope = segments(widths.reciprocal_bits, widths.reciprocal_index)
    return ReciprocalTable(
        base=base,
        slope=slope,
        bits=widths.reciprocal_bits,
        index=widths.reciprocal_index,
        step=widths.reciprocal_step,
        fraction=widths.sum_fraction,
        lowest=lowest_exponent(config),
    )


@lru_cache(maxsize=64)
def segments(bits: int, index: int) -> tuple[Codes, Codes]:
    """(base, slope) of every segment: the same for all stages of one width and index."""
    scale, count = 1 << (bits + GUARD), 1 << index

    def start(j: int) -> Real:
        return mpmath.mpf(count) / (count + j)

    def base(j: int) -> Real:
        deviation = start(j) + start(j + 1) - 2 * mpmath.sqrt(start(j) * start(j + 1))
        return min((start(j) - deviation / 2) * scale + (1 << GUARD) // 2, scale - 1)

    def slope(j: int) -> Real:
        return (start(j) - start(j + 1)) * scale

    return table(base, range(count)), table(slope, range(count))
