"""Distances from a fixed code; the sum has a fraction bit for every bit of every term."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, e, floor, log2
from typing import Any, ClassVar

from ..errors import require
from ..widths import (
    DIRECT_BITS,
    GUARD,
    MAX_EXACT_FRACTION,
    MAX_TABLE_BITS,
    SUM_BITS,
    Widths,
    complete,
    given_widths,
    split_around,
    split_of,
)
from .datapath import Needs

FIELD_POWERS = 0.375
"""Powers of 2 that the further exp tables may span together: a mantissa of the first table then
loses one leading bit to them at most, and their own entries start with a 0."""
FIRST_BITS = 10
"""Index bits of a first table beyond which a further one is the smaller evil."""
MOST_FIELD_POWERS = 4.0
"""The same where the first table cannot be larger: a mantissa keeps enough bits."""


@dataclass(frozen=True, slots=True)
class ExactSum:
    """exp(x - top) without a maximum, summed without loss, so that the result does not depend on
    the order of the elements; see :class:`.Datapath`.

    Attributes:
        lowest, highest: the least and the largest code of an element.
        window: a sum without loss has more than :data:`SUM_BITS` bits: it is kept around its
            largest term alone.
    """

    saturates: ClassVar[bool] = False

    lowest: int
    highest: int
    widths: Widths
    window: bool

    @classmethod
    def of(cls, needs: Needs) -> "ExactSum":
        """Widths as those of ``max_subtract``, but the sum's fraction is the mantissa's and the
        largest shift: it loses nothing.

        Raises:
            ConfigError: distances that the exp tables cannot reach.
        """
        given, resolution, mantissa = given_widths(
            needs.reach, needs.step, needs.fraction, needs.by_hand
        )
        split = split_of(needs.reach.bit_length(), given)
        room = SUM_BITS - needs.max_length.bit_length()
        total = _sum_fraction(needs, mantissa, split)
        if total > room:
            split = _wide_split(needs, given)
            total = _sum_fraction(needs, mantissa, split)
        window = total > room
        # the sum's error is that of its terms, which leaves room for one of the first table; log p
        # has no such room, nor has a sum that drops parts of terms
        guard = GUARD if needs.logarithm or window or "exp_split" in given else 1
        require(
            total <= MAX_EXACT_FRACTION,
            f"range * scale must span at most {MAX_EXACT_FRACTION - mantissa + 1} powers of 2 for "
            f"datapath exact_sum, not {total - mantissa + 1}",
        )
        require(
            given.get("sum_fraction", total) == total,
            f"sum_fraction must be {total} where the sum is exact, not "
            f"{given.get('sum_fraction')!r}",
        )
        exp_bits = max(mantissa + guard, min(resolution + 3 + len(split), 2 * mantissa))
        widths = complete(given, needs.fraction, mantissa, split, exp_bits, total)
        return cls(needs.lowest, needs.highest, widths, window)

    @property
    def origin(self) -> int:
        """The highest code or a little more, see :func:`top_of`."""
        return top_of(self.highest, sum(self.widths.exp_split[1:]))

    @property
    def nearest(self) -> int:
        return self.origin - self.highest

    @property
    def farthest(self) -> int:
        return self.origin - self.lowest

    @property
    def reach(self) -> int:
        return self.farthest

    @property
    def largest_shift(self) -> int:
        return self.widths.sum_fraction - self.widths.mantissa_bits + 1


def _sum_fraction(needs: Needs, mantissa: int, split: tuple[int, ...]) -> int:
    """Fraction bits of a sum that loses nothing: the mantissa's and the largest shift."""
    low = sum(split[1:])
    largest = (top_of(needs.highest, low) - needs.lowest) >> low << low  # of the first table
    return mantissa - 1 + ceil(largest * needs.step * log2(e) * (1 + 2**-40))


def _wide_split(needs: Needs, given: Mapping[str, Any]) -> tuple[int, ...]:
    """Index bits of the exp tables where distances span many powers of 2."""
    index, power = needs.reach.bit_length(), needs.step * log2(e)
    if "exp_split" in given or index <= DIRECT_BITS:
        return split_of(index, given)
    coarsest = min(max(floor(log2(FIELD_POWERS / power)), 0), index - 1)
    tables = -(-max(min(index - FIRST_BITS, coarsest), 0) // 8)
    further = max(min(coarsest, 8 * tables), index - MAX_TABLE_BITS)
    most = MOST_FIELD_POWERS / log2(e) * 2**MAX_TABLE_BITS
    require(
        further == 0 or 2**further * power <= MOST_FIELD_POWERS,
        f"range * scale must be at most about {most / 2:.0f} for datapath exact_sum with an input "
        f"of {index} bits, whose exp tables have at most {2**MAX_TABLE_BITS} entries, not "
        f"{needs.reach * needs.step / 2:g}; max_subtract has no such limit",
    )
    return split_around(index - further, further)


def top_of(highest: int, low: int) -> int:
    """The code from which distances are measured: the highest, its ``low`` bits all set.

    The low fields of top - x are then those of x, inverted: no subtraction is needed to read the
    tables. A factor that all exponentials share cancels in exp / sum.
    """
    return highest | ((1 << low) - 1)
