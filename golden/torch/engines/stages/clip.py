"""Inputs outside the range become its limit."""

import torch
from torch import Tensor

from ....config import SoftmaxConfig


def clip(codes: Tensor, config: SoftmaxConfig) -> tuple[Tensor, Tensor]:
    """Codes inside the range, and which of them were outside."""
    if config.clip != "input":
        return codes, torch.zeros_like(codes, dtype=torch.bool)
    clipped = codes.clamp(-config.range_code, config.range_code)
    return clipped, clipped != codes
