"""The natural logarithm of a row's sum: leading-one normalisation, then a table of linear segments.

S = s * 2**q with s in [1, 2), so ln S = q ln 2 + ln s. The leading ``index`` fraction bits of s
choose a segment, the next ``step`` bits a place in it, further bits are dropped:

    ln = q_ln2[q - lowest] + (base[j] * 2**step + slope[j] * t) / 2**(step + GUARD)

A segment's slope is that of its chord; its base lies half the chord's largest deviation above the
chord's start, for ln lies above its chords. Half an LSB is stored in ``base``, so that dropping the
low bits rounds half up without an adder.
"""

from dataclasses import dataclass
from functools import lru_cache

import mpmath
import numpy as np

from ..config import SoftmaxConfig
from ..types import Codes
from .accumulate import lowest_exponent
from .exact import Real, table
from .leading_one import RowSums, significand

GUARD = 3
"""Bits that the table's base keeps beyond those of the result."""


@dataclass(frozen=True, eq=False)
class LnTable:
    """The ln stage of a configuration: its table contents and its function.

    Attributes:
        base: ln at each segment's start, in units of 2**(-fraction - GUARD), plus half an LSB.
        slope: rise over each segment, in the same units.
        q_ln2: q ln 2 for every place of the leading one, ``lowest`` first, in units of
            2**-fraction.
        fraction: fraction bits of the result.
        index: index bits; ``step``: interpolation bits.
        sum_fraction: fraction bits of the sum. lowest: its least exponent.
    """

    base: Codes
    slope: Codes
    q_ln2: Codes
    fraction: int
    index: int
    step: int
    sum_fraction: int
    lowest: int

    @property
    def base_bits(self) -> int:
        """Width of a base, in bits."""
        return int(self.base.max()).bit_length()

    @property
    def slope_bits(self) -> int:
        """Width of a slope, in bits."""
        return int(self.slope.max()).bit_length()

    @property
    def width(self) -> int:
        """Width of the result, in bits, a sign counted where sums can be below 1."""
        highest = int(self.q_ln2[-1] + (1 << self.fraction))  # ln 2 more than the largest q gives
        if not self.signed:
            return highest.bit_length()
        return 1 + max(highest.bit_length(), (-int(self.q_ln2[0])).bit_length())

    @property
    def signed(self) -> bool:
        """Sums can be below 1."""
        return self.lowest < 0

    def of_mantissa(self, s: Codes) -> Codes:
        """ln s for s in [1, 2) as ``index + step`` fraction bits (without the 1)."""
        segment, place = s >> self.step, s & ((1 << self.step) - 1)
        return ((self.base[segment] << self.step) + self.slope[segment] * place) >> (
            self.step + GUARD
        )

    def __call__(self, total: RowSums) -> Codes:
        """ln of sums of at least 2**lowest, in units of 2**-fraction."""
        q, s = significand(total, self.sum_fraction, self.index + self.step, self.lowest)
        return self.q_ln2[q - self.lowest] + self.of_mantissa(s)


@lru_cache(maxsize=64)
def ln_table(config: SoftmaxConfig, fraction: int) -> LnTable:
    """The ln stage for a result of ``fraction`` bits, every entry correctly rounded."""
    index = min(max(-(-fraction // 2), 3), 12)
    base, slope = _segments(fraction, index)
    lowest = lowest_exponent(config)
    exponents = range(lowest, (config.max_length - 1).bit_length() + 1)
    return LnTable(
        base=base,
        slope=slope,
        q_ln2=table(lambda q: q * mpmath.log(2) * 2**fraction, exponents),
        fraction=fraction,
        index=index,
        step=max(fraction + 2 - index, 1),
        sum_fraction=config.widths.sum_fraction,
        lowest=lowest,
    )


@lru_cache(maxsize=64)
def _segments(fraction: int, index: int) -> tuple[Codes, Codes]:
    """(base, slope) of every segment: the same for all stages of one fraction and index."""
    segments, scale = 1 << index, 1 << (fraction + GUARD)

    def start(j: int) -> Real:
        return mpmath.log(1 + mpmath.mpf(j) / segments)

    def base(j: int) -> Real:
        chord = (start(j + 1) - start(j)) * segments
        # ln - chord is largest where the derivatives agree: at s = 1 / chord
        peak = 1 / chord
        deviation = mpmath.log(peak) - start(j) - chord * (peak - 1 - mpmath.mpf(j) / segments)
        return (start(j) + deviation / 2) * scale + (1 << GUARD) // 2

    slope = table(lambda j: (start(j + 1) - start(j)) * scale, range(segments))
    return table(base, range(segments)), slope


def ln_error(stage: LnTable) -> tuple[float, float]:
    """Range of the error of ln S over every sum there can be: exhaustive over table inputs."""
    kept = stage.index + stage.step
    s = np.arange(1 << kept)
    value = stage.of_mantissa(s) * 2.0**-stage.fraction
    exact = np.log(1 + s * 2.0**-kept), np.log(1 + (s + 1) * 2.0**-kept)
    places = np.arange(len(stage.q_ln2)) + stage.lowest
    q_error = stage.q_ln2 * 2.0**-stage.fraction - places * np.log(2)
    return (
        float((value - exact[1]).min() + q_error.min()),
        float((value - exact[0]).max() + q_error.max()),
    )
