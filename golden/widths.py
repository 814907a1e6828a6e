"""The internal widths of a datapath: derived from the output format and the row, or set by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, log2
from typing import Any

from .errors import require, require_whole

MAX_TABLE_BITS = 12
"""Largest table index in bits: beyond 4096 entries, split tables are smaller and as exact."""
DIRECT_BITS = 9
"""Largest index of an exp table that stands alone: it fills one block RAM."""
FACTOR_BITS = (4, 28)
"""Limits of mantissa and reciprocal: their product stays inside 63 bits of the golden model."""
GUARD = 4
"""Bits of the first exp table beyond the mantissa, which hide its own rounding."""
SUM_BITS = 63
"""Widest sum of a row that is kept whole, for the same reason."""
MAX_EXACT_FRACTION = 1 << 16
"""Most fraction bits of a sum of which only the leading bits are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Widths:
    """Widths of exp, sum and reciprocal, in bits.

    Args:
        exp_split: index bits of the exp tables, most significant first. One table is direct; the
            entries of several are multiplied.
        mantissa_bits: width of exp's mantissa.
        exp_bits: width of the first exp table's mantissas, guard bits included.
        sum_fraction: fraction bits of the row's sum; terms are truncated to them where they have
            more, which those of an exact sum have not.
        reciprocal_bits: width of the reciprocal.
        reciprocal_index: index bits of the reciprocal's table, whose segments are linear.
        reciprocal_step: bits that interpolate inside a segment.

    Raises:
        ConfigError: a width outside its limits.
    """

    exp_split: tuple[int, ...]
    mantissa_bits: int
    exp_bits: int
    sum_fraction: int
    reciprocal_bits: int
    reciprocal_index: int
    reciprocal_step: int

    def __post_init__(self) -> None:
        require_whole("mantissa_bits", self.mantissa_bits, *FACTOR_BITS)
        if len(self.exp_split) == 1:
            require(
                self.exp_bits == self.mantissa_bits,
                f"exp_bits must equal mantissa_bits ({self.mantissa_bits}) where exp is one "
                f"table, not {self.exp_bits!r}",
            )
        else:
            require_whole("exp_bits", self.exp_bits, self.mantissa_bits + 1, 2 * self.mantissa_bits)
        require_whole("sum_fraction", self.sum_fraction, self.mantissa_bits, MAX_EXACT_FRACTION)
        require_whole("reciprocal_bits", self.reciprocal_bits, *FACTOR_BITS)
        require_whole("reciprocal_index", self.reciprocal_index, 1, MAX_TABLE_BITS)
        require_whole(
            "reciprocal_step", self.reciprocal_step, 1, min(28 - self.reciprocal_index, 20)
        )


def split_index(bits: int) -> tuple[int, ...]:
    """Index bits of the exp tables for a difference of ``bits`` bits, first table first.

    Of split tables with 8 index bits, two share a block RAM. The reach is below 2**5 exponents, so
    with 7 bits the first table's steps are small enough for a mantissa to keep its leading bit
    through the further tables.
    """
    if bits <= DIRECT_BITS:
        return (bits,)
    further = -(-bits // 8) - 1
    first = max(-(-bits // (further + 1)), 7)
    return split_around(first, bits - first)


def split_around(first: int, rest: int) -> tuple[int, ...]:
    """Index bits of a first exp table, and of as few further ones as 8 bits each allow."""
    further = -(-rest // 8)
    if further == 0:
        return (first,)
    narrow, wide = divmod(rest, further)
    return (first,) + (narrow + 1,) * wide + (narrow,) * (further - wide)


def given_widths(
    span: int, step: float, fraction: int, by_hand: Mapping[str, Any]
) -> tuple[dict[str, Any], int, int]:
    """The widths set by hand, the bits that tell neighbours apart, and the mantissa's width."""
    given = {name: value for name, value in by_hand.items() if value is not None}
    # where tables are multiplied, neighbours must differ by more than the running mantissa errs
    resolution = ceil(-log2(step)) if span.bit_length() > DIRECT_BITS else 0
    mantissa = max(fraction + 2, 8, min(resolution, FACTOR_BITS[1]))
    mantissa = given.get("mantissa_bits", mantissa)
    require_whole("mantissa_bits", mantissa, *FACTOR_BITS)
    return given, resolution, mantissa


def split_of(index: int, given: Mapping[str, Any]) -> tuple[int, ...]:
    """Index bits of the exp tables for a distance of ``index`` bits."""
    split = given.get("exp_split", split_index(index))
    require(isinstance(split, tuple), f"exp_split must be a list of widths, not {split!r}")
    for bits in split:
        require_whole("exp_split's index bits", bits, 1, MAX_TABLE_BITS)
    require(
        sum(split) == index,
        f"exp_split must add up to the {index} bits of a difference, not {split}",
    )
    return split


def complete(
    given: Mapping[str, Any],
    fraction: int,
    mantissa: int,
    split: tuple[int, ...],
    exp_bits: int,
    total: int,
) -> Widths:
    """All widths, those of the reciprocal from the output's fraction."""
    reciprocal = given.get("reciprocal_bits", max(fraction, 6) + 2)
    require_whole("reciprocal_bits", reciprocal, *FACTOR_BITS)
    segments = given.get("reciprocal_index", min(-(-reciprocal // 2), MAX_TABLE_BITS))
    require_whole("reciprocal_index", segments, 1, MAX_TABLE_BITS)
    derived = {
        "exp_split": split,
        "mantissa_bits": mantissa,
        "exp_bits": exp_bits if len(split) > 1 else mantissa,
        "sum_fraction": total,
        "reciprocal_bits": reciprocal,
        "reciprocal_index": segments,
        "reciprocal_step": min(max(reciprocal - segments + 2, 1), 28 - segments, 20),
    }
    return Widths(**{**derived, **given})
