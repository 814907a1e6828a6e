"""Rows of real logits as codes of the input format."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....formats import Format
from .rounding import quantize


@dataclass(frozen=True, eq=False, slots=True)
class Logits:
    """Rows as the unit takes them; all (rows, n).

    Attributes:
        codes: 0 where an element is no number or takes no part.
        active: bool: the element takes part.
        saturated: bool: an active element lay beyond the format.
        invalid: bool: NaN or +inf.
    """

    codes: Tensor
    active: Tensor
    saturated: Tensor
    invalid: Tensor

    @classmethod
    def of(cls, x: Tensor, fmt: Format) -> "Logits":
        """Of float32 or float64."""
        active, finite = x != -torch.inf, x.isfinite()
        scaled = torch.where(finite, x, 0).to(torch.float64) * 2.0**fmt.f
        codes, saturated = quantize(scaled, fmt)
        return cls(codes, active, saturated, active & ~finite)
