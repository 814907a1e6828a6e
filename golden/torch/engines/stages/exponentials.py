"""The stages that all functions of rows of logits begin with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from .accumulate import row_sum
from .clip import clip
from .distance import distance
from .exp import Exp
from .leading_one import RowSums
from .logits import Logits


@dataclass(frozen=True, eq=False, slots=True)
class Elements:
    """Rows after exp, with what their rows share.

    Attributes:
        distance: in input LSB. mantissa, shift: exp of it; mantissa 0 where not active.
        active: bool. clipped: bool: an active element was clipped or saturated.
        total: the rows' sums.
    """

    distance: Tensor
    mantissa: Tensor
    shift: Tensor
    active: Tensor
    clipped: Tensor
    total: RowSums


def exponentials(logits: Logits, exp: Exp, config: SoftmaxConfig) -> Elements:
    """exp of every element, and the sum of every row."""
    codes, outside = clip(logits.codes, config)
    far, saturated = distance(codes, logits.active, config)
    reach = config.path.reach
    far = torch.where(logits.active, far, reach)
    mantissa, shift = exp(far.clamp(max=reach))
    mantissa = torch.where(logits.active, mantissa, 0)
    clipped = (outside | saturated | logits.saturated) & logits.active
    total = row_sum(mantissa, shift, config)
    return Elements(far, mantissa, shift, logits.active, clipped, total)
