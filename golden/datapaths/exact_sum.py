"""Distances from a fixed code; the sum has a fraction bit for every bit of every term."""

from dataclasses import dataclass
from math import ceil, e, log2
from typing import ClassVar

from ..errors import require
from ..widths import GUARD, SUM_BITS, Widths, complete, given_widths, split_of
from .datapath import Needs


@dataclass(frozen=True, slots=True)
class ExactSum:
    """exp(x - top) without a maximum, summed without loss, so that the result does not depend on
    the order of the elements; see :class:`.Datapath`."""

    clips: ClassVar[tuple[str, ...]] = ("input",)

    range_code: int
    widths: Widths

    @classmethod
    def of(cls, needs: Needs) -> "ExactSum":
        """Widths as those of ``max_subtract``, but the sum's fraction is the mantissa's and the
        largest shift: it loses nothing.

        The sum's error is that of its terms, which leaves room for one of the first table; log p
        has no such room.

        Raises:
            ConfigError: the exact sum is wider than the golden model's integers.
        """
        guard = GUARD if needs.logarithm else 1
        given, resolution, mantissa = given_widths(
            needs.span, needs.step, needs.fraction, needs.by_hand
        )
        split = split_of(needs.span.bit_length(), given)
        low = sum(split[1:])
        largest = (
            (top_of(needs.range_code, low) + needs.range_code) >> low << low
        )  # of the first table
        total = mantissa - 1 + ceil(largest * needs.step * log2(e) * (1 + 2**-40))
        bits = needs.max_length.bit_length() + total
        require(
            bits <= SUM_BITS,
            f"datapath exact_sum must have a sum of at most {SUM_BITS} bits, not {bits} "
            f"(mantissa_bits {mantissa}, range * scale over {total - mantissa + 1} powers of 2, "
            f"max_length {needs.max_length}); max_subtract has no such limit",
        )
        require(
            given.get("sum_fraction", total) == total,
            f"sum_fraction must be {total} where the sum is exact, not "
            f"{given.get('sum_fraction')!r}",
        )
        guard = GUARD if "exp_split" in given else guard
        exp_bits = max(mantissa + guard, min(resolution + 3 + len(split), 2 * mantissa))
        widths = complete(given, needs.fraction, mantissa, split, exp_bits, total)
        return cls(needs.range_code, widths)

    @property
    def origin(self) -> int:
        """The range or a little more, see :func:`top_of`."""
        return top_of(self.range_code, sum(self.widths.exp_split[1:]))

    @property
    def nearest(self) -> int:
        return self.origin - self.range_code

    @property
    def farthest(self) -> int:
        return self.origin + self.range_code

    @property
    def reach(self) -> int:
        return self.farthest

    @property
    def largest_shift(self) -> int:
        return self.widths.sum_fraction - self.widths.mantissa_bits + 1


def top_of(range_code: int, low: int) -> int:
    """The code from which distances are measured: the range, its ``low`` bits all set.

    The low fields of top - x are then those of x, inverted: no subtraction is needed to read the
    tables. A factor that all exponentials share cancels in exp / sum.
    """
    return range_code | ((1 << low) - 1)
