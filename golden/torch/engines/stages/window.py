"""The sum of a row's exponentials around its largest one: three limbs, whatever the range."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....stages.window import LIMB_BITS
from .leading_one import leading_one, low_bits


@dataclass(frozen=True, eq=False, slots=True)
class WindowSum:
    """Sums of rows, the limbs from T - 1 up, carries done; (rows, 1).

    Attributes:
        top: T. high: the sum from limb T up. low: limb T - 1.
        fraction: the LSB of limb 0 is 2**-fraction.
    """

    top: Tensor
    high: Tensor
    low: Tensor
    fraction: int

    def significand(self, kept: int, lowest: int) -> tuple[Tensor, Tensor]:
        """See :class:`.RowSums`."""
        place = leading_one(self.high)
        q = (self.top * LIMB_BITS + place - self.fraction).clamp(min=lowest)
        below = (place - kept).clamp(min=0)  # bits of ``high`` below those that are kept
        further = (kept - place).clamp(min=0)  # bits that ``high`` lacks: those of ``low`` lead
        lead = self.low << (further - LIMB_BITS).clamp(min=0)
        lead = lead >> (LIMB_BITS - further).clamp(min=0)
        return q, low_bits(self.high >> below << further | lead, kept)


def window_sum(mantissa: Tensor, shift: Tensor, config: SoftmaxConfig) -> WindowSum:
    """Sums over the last axis, kept as length 1."""
    fraction = config.widths.sum_fraction
    highest = fraction - config.widths.mantissa_bits + 1
    place = torch.where(mantissa > 0, highest - shift, 0)
    limb = place // LIMB_BITS
    top = limb.amax(dim=-1, keepdim=True)
    moved = mantissa << place % LIMB_BITS
    lower, upper = low_bits(moved, LIMB_BITS), moved >> LIMB_BITS

    def into(above: int) -> Tensor:
        """The sum of the parts that fall into limb T + above."""
        target = top + above
        parts = torch.where(limb == target, lower, 0) + torch.where(limb + 1 == target, upper, 0)
        return parts.sum(dim=-1, keepdim=True)

    below = into(-1)
    high = into(0) + (into(1) << LIMB_BITS) + (below >> LIMB_BITS)
    return WindowSum(top, high, low_bits(below, LIMB_BITS), fraction)
