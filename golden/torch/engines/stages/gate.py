"""Flags of elements, eight a byte."""

import torch
from torch import Tensor


def packed(flags: Tensor) -> Tensor:
    """uint8, (rows, ceil(n / 8)): bit j % 8 of byte j // 8 is flag j."""
    padded = torch.nn.functional.pad(flags.to(torch.uint8), (0, -flags.shape[-1] % 8))
    return (padded.unflatten(-1, (-1, 8)) << _places(flags)).sum(dim=-1, dtype=torch.uint8)


def unpacked(gate: Tensor, count: int) -> Tensor:
    """bool, (rows, count): the first bits of every row."""
    return ((gate[..., None] >> _places(gate)) & 1).flatten(-2)[..., :count].to(torch.bool)


def _places(like: Tensor) -> Tensor:
    return torch.arange(8, dtype=torch.uint8, device=like.device)
