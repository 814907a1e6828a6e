"""The exponent s that a row's results share: the largest with which p * 2**s is below 1 for all."""

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from .exp import Exp
from .exponentials import Elements
from .leading_one import low_bits
from .reciprocal import Reciprocal


def row_exponent(
    elements: Elements, exp: Exp, reciprocal: Reciprocal, config: SoftmaxConfig
) -> Tensor:
    """Exponents of rows, (rows, 1); 0 where a row has none."""
    nearest = elements.distance.amin(dim=-1, keepdim=True)  # what takes no part lies farthest
    if not config.has_exponent:
        return torch.zeros_like(nearest)
    mantissa, shift = exp.first(nearest)
    q, s = reciprocal.significand(elements.total)
    width = config.widths.mantissa_bits - 1
    fine = max(reciprocal.kept, width)
    largest = low_bits(mantissa >> exp.guard << (fine - width), fine)
    below = largest < s << (fine - reciprocal.kept)
    exponent = (q + shift - (~below).to(torch.int64)).clamp(min=0)
    return torch.where(elements.active.any(dim=-1, keepdim=True), exponent, 0)
