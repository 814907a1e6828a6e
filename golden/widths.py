"""The internal widths of a datapath: derived from the output format and the row, or set by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import require, require_whole

MAX_TABLE_BITS = 12
"""Largest table index in bits: beyond 4096 entries, split tables are smaller and as exact."""
FACTOR_BITS = (4, 28)
"""Limits of mantissa and reciprocal: their product stays inside 63 bits of the golden model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Widths:
    """Widths of exp, sum and reciprocal, in bits.

    Args:
        exp_split: index bits of the exp tables, most significant first. One table is direct; the
            entries of several are multiplied.
        mantissa_bits: width of exp's mantissa.
        exp_bits: width of the first exp table's mantissas, guard bits included.
        sum_fraction: fraction bits of the row's sum; terms are truncated to them.
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
        for bits in self.exp_split:
            require_whole("exp_split's index bits", bits, 1, MAX_TABLE_BITS)
        require_whole("mantissa_bits", self.mantissa_bits, *FACTOR_BITS)
        if len(self.exp_split) == 1:
            require(
                self.exp_bits == self.mantissa_bits,
                f"exp_bits must equal mantissa_bits ({self.mantissa_bits}) where exp is one "
                f"table, not {self.exp_bits!r}",
            )
        else:
            require_whole("exp_bits", self.exp_bits, self.mantissa_bits + 1, 2 * self.mantissa_bits)
        require_whole("sum_fraction", self.sum_fraction, self.mantissa_bits, 46)
        require_whole("reciprocal_bits", self.reciprocal_bits, *FACTOR_BITS)
        require_whole("reciprocal_index", self.reciprocal_index, 1, MAX_TABLE_BITS)
        require_whole("reciprocal_step", self.reciprocal_step, 1, 20)


def split_index(bits: int) -> tuple[int, ...]:
    """Index bits of the exp tables for a difference of ``bits`` bits.

    A table of 9 index bits fills one block RAM; of split tables with 8, two share one.
    """
    if bits <= 9:
        return (bits,)
    tables = -(-bits // 8)
    narrow, wide = divmod(bits, tables)
    return (narrow + 1,) * wide + (narrow,) * (tables - wide)


def derive_widths(
    *, index: int, fraction: int, max_length: int, by_hand: Mapping[str, Any]
) -> Widths:
    """Widths that keep the proven error of a unit below one LSB of its output.

    Two guard bits make mantissa and reciprocal faithful; four more in the first exp table hide
    that table's own rounding. Truncating every term of the sum loses up to ``max_length`` of its
    LSB, so the sum carries log2(max_length) bits for them and four of guard.

    Args:
        index: bits of the difference max - x.
        fraction: fraction bits of the output.
        max_length: longest row, in elements.
        by_hand: widths that replace the derived ones; ``None`` leaves a width derived.
    """
    given = {name: value for name, value in by_hand.items() if value is not None}
    split = given.get("exp_split", split_index(index))
    mantissa = given.get("mantissa_bits", fraction + 2)
    reciprocal = given.get("reciprocal_bits", fraction + 2)
    require(isinstance(split, tuple), f"exp_split must be a list of widths, not {split!r}")
    require_whole("mantissa_bits", mantissa, *FACTOR_BITS)
    require_whole("reciprocal_bits", reciprocal, *FACTOR_BITS)
    segments = given.get("reciprocal_index", -(-reciprocal // 2))
    require_whole("reciprocal_index", segments, 1, MAX_TABLE_BITS)
    derived = {
        "exp_split": split,
        "mantissa_bits": mantissa,
        "exp_bits": mantissa + 4 * (len(split) > 1),
        "sum_fraction": fraction + (max_length - 1).bit_length() + 4,
        "reciprocal_bits": reciprocal,
        "reciprocal_index": segments,
        "reciprocal_step": max(reciprocal - segments + 2, 1),
    }
    widths = Widths(**{**derived, **given})
    require(
        sum(widths.exp_split) == index,
        f"exp_split must add up to the {index} bits of a difference, not {widths.exp_split}",
    )
    return widths
