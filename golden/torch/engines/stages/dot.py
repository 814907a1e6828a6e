"""D, the sum of P dP over a row."""

from torch import Tensor

from ....stages.dot import Dot
from .rounding import round_half_up


def dot(p: Tensor, dp: Tensor, exponent: Tensor, formats: Dot) -> Tensor:
    """D, saturated, kept as length 1; p are codes of P * 2**exponent of the row."""
    total = (p * dp).sum(dim=-1, keepdim=True)
    rounded = round_half_up(total, formats.drop + exponent)
    return rounded.clamp(formats.output.min_code, formats.output.max_code)
