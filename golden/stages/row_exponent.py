"""The exponent s that a row's results share: the largest with which p * 2**s is below 1 for all.

What is compared are significands: with e the exp of the row's largest element and S its sum,
p * 2**s is below 1 where e * 2**s is below S. e is taken as the first exp table has it, which is e
itself where there is one table, and a little more where further ones lower it; S is taken as
precisely as its reciprocal takes it.
"""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..types import Codes
from .exp import ExpTable, exp_table
from .leading_one import RowSums
from .reciprocal import ReciprocalTable, reciprocal_table


@dataclass(frozen=True, eq=False, slots=True)
class RowExponent:
    """The stage of a configuration whose ``output_exponent`` is ``"row"``.

    Attributes:
        exp, reciprocal: the tables.
    """

    exp: ExpTable
    reciprocal: ReciprocalTable

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "RowExponent":
        return cls(exp_table(config), reciprocal_table(config))

    def __call__(self, nearest: Codes, total: RowSums) -> Codes:
        """Exponents of rows with an active element, 0 or more.

        Args:
            nearest: the least distance of each row's active elements. total: the row's sum.
        """
        first = self.exp.fields(nearest)[0]
        mantissa, shift = self.exp.high[first] >> self.exp.guard, self.exp.shift[first]
        kept = self.reciprocal.kept
        q, s = self.reciprocal.significand(total)
        fine = max(kept, self.exp.mantissa_bits - 1)
        e = (mantissa << (fine - self.exp.mantissa_bits + 1)) & ((1 << fine) - 1)
        below = e < s << (fine - kept)
        return np.maximum(q + shift - np.logical_not(below), 0)
