"""1 / S as a mantissa and a shift, from a table of linear segments."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....stages.reciprocal import GUARD, reciprocal_table
from .leading_one import RowSums, low_bits
from .tables import on_device


@dataclass(frozen=True, eq=False, slots=True)
class Reciprocal:
    """The stage of a configuration on a device.

    Attributes:
        base, slope: of every segment.
        kept: bits of a significand; the last ``step`` of them tell places in a segment.
        lowest: the least exponent of a sum.
    """

    base: Tensor
    slope: Tensor
    kept: int
    step: int
    lowest: int

    @classmethod
    def of(cls, config: SoftmaxConfig, device: torch.device) -> "Reciprocal":
        table = reciprocal_table(config)
        base, slope = on_device(table.base, device), on_device(table.slope, device)
        return cls(base, slope, table.kept, table.step, table.lowest)

    def significand(self, total: RowSums) -> tuple[Tensor, Tensor]:
        """(q, s) of sums."""
        return total.significand(self.kept, self.lowest)

    def __call__(self, total: RowSums) -> tuple[Tensor, Tensor]:
        """(r, q) of sums."""
        q, s = self.significand(total)
        segment, place = s >> self.step, low_bits(s, self.step)
        r = (self.base[segment] << self.step) - self.slope[segment] * place
        return r >> (self.step + GUARD), q
