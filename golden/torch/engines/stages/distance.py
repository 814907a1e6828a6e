"""How far every element lies below its row's maximum, or below a fixed code."""

import torch
from torch import Tensor

from ....config import SoftmaxConfig


def distance(codes: Tensor, active: Tensor, config: SoftmaxConfig) -> tuple[Tensor, Tensor]:
    """(distances in input LSB, which of them were saturated)."""
    if config.path.origin is not None:
        return config.path.origin - codes, torch.zeros_like(active)
    below = row_max(codes, active, config.input.min_code) - codes
    return below.clamp(max=config.span), below > config.span


def row_max(codes: Tensor, active: Tensor, lowest: int) -> Tensor:
    """Maximum over the active elements of each row, kept as length 1; ``lowest`` without any."""
    return torch.where(active, codes, lowest).amax(dim=-1, keepdim=True)
