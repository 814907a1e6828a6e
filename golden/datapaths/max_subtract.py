"""Distances from the row's maximum; terms are truncated to the sum's LSB."""

from dataclasses import dataclass
from math import ceil, log
from typing import ClassVar

from ..errors import require_whole
from ..widths import GUARD, Widths, complete, given_widths, split_of
from .datapath import Needs

MAX_SUM_FRACTION = 46
"""Most fraction bits of a sum that is not exact: the longest row has 2**16 elements."""


@dataclass(frozen=True, slots=True)
class MaxSubtract:
    """exp(x - max): the maximum's term is 1, which every sum has; see :class:`.Datapath`.

    Attributes:
        step: what one LSB of distance adds to the exponent.
    """

    saturates: ClassVar[bool] = True

    farthest: int
    step: float
    widths: Widths

    @classmethod
    def of(cls, needs: Needs) -> "MaxSubtract":
        """Widths that keep the proven error below one LSB of the output.

        Two guard bits make mantissa and reciprocal faithful; four more in the first exp table hide
        that table's own rounding. Truncating every term of the sum loses up to ``max_length`` of
        its LSB, so the sum carries log2(max_length) bits for them and two more than the mantissa.
        """
        given, resolution, mantissa = given_widths(
            needs.span, needs.step, needs.fraction, needs.by_hand
        )
        total = max(mantissa, needs.fraction + 2) + (needs.max_length - 1).bit_length() + 2
        total = given.get("sum_fraction", min(total, MAX_SUM_FRACTION))
        require_whole("sum_fraction", total, mantissa, MAX_SUM_FRACTION)
        split = split_of(reach_of(needs.span, needs.step, total).bit_length(), given)
        exp_bits = max(mantissa + GUARD, min(resolution + 2 + len(split), 2 * mantissa))
        widths = complete(given, needs.fraction, mantissa, split, exp_bits, total)
        return cls(needs.span, needs.step, widths)

    @property
    def origin(self) -> None:
        return None

    @property
    def nearest(self) -> int:
        return 0

    @property
    def reach(self) -> int:
        return reach_of(self.farthest, self.step, self.widths.sum_fraction)

    @property
    def window(self) -> bool:
        return False

    @property
    def largest_shift(self) -> int:
        return 0


def reach_of(span: int, step: float, sum_fraction: int) -> int:
    """The largest difference worth telling apart, in input LSB: beyond, exp is below the sum's LSB.

    Args:
        span: the largest difference that can occur.
        step: what one LSB of difference adds to the exponent.
    """
    nothing = (sum_fraction + 2) * log(2) / step
    return span if nothing >= span else ceil(nothing)
