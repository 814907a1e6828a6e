"""exp(-scale * u) as a mantissa and a shift, from one table or a product of several.

The distance u of x from the row's maximum (or from a fixed code) is cut into index fields, most
significant first. The first table holds exp of its field as a normalised mantissa and a shift;
every further table holds 1 - exp of its field, a small number, which the running mantissa loses as
a share of itself:

    a = high[u0]
    a = a - (a's leading bits) * low_j[u_j]      for every further field j
    m = a without its guard bits

so that exp(-scale * u * 2**-f) = m * 2**(1 - mantissa_bits - k), within the rounding that
``golden.proofs`` enumerates. Storing 1 - exp keeps one bit of accuracy for every leading zero of
it at the same multiplier width. Half a mantissa LSB is stored in the entries of the first table,
so that dropping the guard bits rounds half up without an adder.
"""

from dataclasses import dataclass
from functools import lru_cache

import mpmath
import numpy as np

from ..config import SoftmaxConfig
from ..errors import require
from ..types import Codes, Reals
from .exact import WORKING_BITS, Real, round_half_even, table


@dataclass(frozen=True, eq=False)
class LowTable:
    """1 - exp(-scale * field) of one index field, in units of 2**-fraction."""

    entries: Codes
    fraction: int

    @property
    def width(self) -> int:
        """Width of an entry, in bits."""
        return max(int(self.entries.max()).bit_length(), 1)


@dataclass(frozen=True, eq=False)
class ExpTable:
    """The exp stage of a configuration: its table contents and its function.

    Attributes:
        split: index bits of each field of the difference, most significant first.
        high: first table's mantissas, half a mantissa LSB included where there are guard bits.
        shift: first table's shifts, in bits.
        low: the further tables.
        bits: width of ``high``; ``mantissa_bits``: width of the result's mantissa.
    """

    split: tuple[int, ...]
    high: Codes
    shift: Codes
    low: tuple[LowTable, ...]
    bits: int
    mantissa_bits: int

    @property
    def guard(self) -> int:
        """Bits dropped from the running mantissa at the end."""
        return self.bits - self.mantissa_bits

    @property
    def shift_bits(self) -> int:
        """Width of the shift, in bits; at least 2, so that a shifter has two stages."""
        return max(int(self.shift.max()).bit_length(), 2)

    def fields(self, u: Codes) -> list[Codes]:
        """The index fields of a distance, most significant first."""
        fields = []
        for bits in self.split[:0:-1]:
            fields.append(u & ((1 << bits) - 1))
            u = u >> bits
        return [u, *fields[::-1]]

    def __call__(self, u: Codes) -> tuple[Codes, Codes]:
        """(m, k) of differences ``u`` up to the reach, in input LSB.

        exp(-scale * u * 2**-f) is m * 2**(1 - mantissa_bits - k).
        """
        first, *rest = self.fields(np.asarray(u, dtype=np.int64))
        accumulator = self.high[first]
        for low, field in zip(self.low, rest, strict=True):
            loss = (accumulator >> self.guard) * low.entries[field]
            accumulator = accumulator - (loss >> (low.fraction - self.guard))
        return accumulator >> self.guard, self.shift[first]

    def value(self, u: Codes) -> Reals:
        """The stage's exp as exact float64 values."""
        mantissa, shift = self(u)
        return np.ldexp(mantissa.astype(np.float64), (1 - self.mantissa_bits - shift).astype(int))


def exp_table(config: SoftmaxConfig) -> ExpTable:
    """The exp stage of a configuration, every entry correctly rounded.

    Raises:
        ConfigError: the widths chosen by hand make exp rise somewhere, so that a larger logit
            could get the smaller probability.
    """
    widths = config.widths
    return _built(
        scale=config.scale,
        fraction=config.input.f,
        split=widths.exp_split,
        bits=widths.exp_bits,
        mantissa_bits=widths.mantissa_bits,
        sum_fraction=widths.sum_fraction,
        nearest=config.path.nearest,
        reach=config.path.reach,
    )


@lru_cache(maxsize=256)
def _built(
    *,
    scale: float,
    fraction: int,
    split: tuple[int, ...],
    bits: int,
    mantissa_bits: int,
    sum_fraction: int,
    nearest: int,
    reach: int,
) -> ExpTable:
    """One stage for all configurations that have it: these are all that it depends on."""
    places = [sum(split[i + 1 :]) for i in range(len(split))]
    guard = bits - mantissa_bits
    with mpmath.workprec(WORKING_BITS):
        lsb = mpmath.mpf(scale) * mpmath.mpf(2) ** -fraction
        entries = [
            _normalised(lsb * (h << places[0]), bits, guard, sum_fraction)
            for h in range((reach >> places[0]) + 1)
        ]
        low = tuple(
            _low_table(lsb * 2**place, index, mantissa_bits, guard)
            for place, index in zip(places[1:], split[1:], strict=True)
        )
    stage = ExpTable(
        split=split,
        high=np.array([mantissa for mantissa, _ in entries], dtype=np.int64),
        shift=np.array([shift for _, shift in entries], dtype=np.int64),
        low=low,
        bits=bits,
        mantissa_bits=mantissa_bits,
    )
    _require_monotone(stage, nearest, reach)
    return stage


def _normalised(exponent: Real, bits: int, guard: int, sum_fraction: int) -> tuple[int, int]:
    """exp(-exponent) as a mantissa of ``bits`` bits with its rounding half, and its shift."""
    half = (1 << guard) >> 1
    value = mpmath.exp(-exponent)
    shift = max(-int(mpmath.floor(mpmath.log(value, 2))), 0)
    mantissa = round_half_even(mpmath.ldexp(value, shift + bits - 1)) + half
    if mantissa >= 1 << bits:  # rounded up to the next power of two
        shift -= 1
        mantissa = round_half_even(mpmath.ldexp(value, shift + bits - 1)) + half
    # below the sum's LSB, and far below the output's, a term is nothing: shifts stay short
    return (mantissa, shift) if shift <= sum_fraction + 1 else (0, 0)


def _low_table(step: Real, bits: int, width: int, guard: int) -> LowTable:
    """1 - exp(-step * field), with as many fraction bits as ``width`` bits of entry allow."""
    largest = -mpmath.expm1(-step * (2**bits - 1))
    zeros = -int(mpmath.floor(mpmath.log(largest, 2))) - 1
    # beyond three bits below the running mantissa's LSB nothing is gained
    fraction = min(width + zeros, width + guard + 2)

    def entry(field: int) -> Real:
        return -mpmath.expm1(-step * field) * 2**fraction

    return LowTable(table(entry, range(2**bits)), fraction)


def _require_monotone(stage: ExpTable, nearest: int, reach: int) -> None:
    """Exhaustive: exp never rises with the difference, at every code that can occur."""
    values = stage.value(np.arange(nearest, reach + 1))
    rises = np.flatnonzero(values[1:] > values[:-1])
    require(
        rises.size == 0,
        f"exp_bits must keep exp from rising; with exp_bits {stage.bits}, mantissa_bits "
        f"{stage.mantissa_bits} and exp_split {stage.split} it rises at {rises.size} of "
        f"{reach} differences",
    )
