"""The natural logarithm of a row's sum, from a table of linear segments."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....stages.ln import GUARD, LnTable
from .leading_one import RowSums, low_bits
from .tables import on_device


@dataclass(frozen=True, eq=False, slots=True)
class Ln:
    """A table on a device; see :class:`.Reciprocal` for its fields.

    Attributes:
        q_ln2: q ln 2 for every exponent of a sum, ``lowest`` first.
    """

    base: Tensor
    slope: Tensor
    q_ln2: Tensor
    kept: int
    step: int
    lowest: int

    @classmethod
    def of(cls, table: LnTable, device: torch.device) -> "Ln":
        base, slope = on_device(table.base, device), on_device(table.slope, device)
        q_ln2, kept = on_device(table.q_ln2, device), table.index + table.step
        return cls(base, slope, q_ln2, kept, table.step, table.lowest)

    def __call__(self, total: RowSums) -> Tensor:
        """ln of sums."""
        q, s = total.significand(self.kept, self.lowest)
        segment, place = s >> self.step, low_bits(s, self.step)
        of_mantissa = (self.base[segment] << self.step) + self.slope[segment] * place
        return self.q_ln2[q - self.lowest] + (of_mantissa >> (self.step + GUARD))
