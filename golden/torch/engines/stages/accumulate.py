"""The sum of a row's exponentials, in fixed point."""

from dataclasses import dataclass

from torch import Tensor

from ....config import SoftmaxConfig
from .leading_one import RowSums, leading_one, low_bits
from .window import window_sum


@dataclass(frozen=True, eq=False, slots=True)
class WholeSum:
    """Sums that an integer holds, in units of 2**-fraction."""

    total: Tensor
    fraction: int

    def significand(self, kept: int, lowest: int) -> tuple[Tensor, Tensor]:
        """See :class:`.RowSums`."""
        q = (leading_one(self.total) - self.fraction).clamp(min=lowest)
        below = self.fraction + q - kept  # bits of the sum below those that are kept
        s = self.total >> below.clamp(min=0) << (-below).clamp(min=0)
        return q, low_bits(s, kept)


def row_sum(mantissa: Tensor, shift: Tensor, config: SoftmaxConfig) -> RowSums:
    """Sums over the last axis, kept as length 1."""
    if config.path.window:
        return window_sum(mantissa, shift, config)
    widths = config.widths
    terms = mantissa << (widths.sum_fraction - widths.mantissa_bits + 1) >> shift
    return WholeSum(terms.sum(dim=-1, keepdim=True), widths.sum_fraction)
