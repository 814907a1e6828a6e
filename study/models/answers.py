"""Whether rows of probabilities have the answer that float32 gives."""

import torch
from torch import Tensor


def agreement(p: Tensor, best: Tensor) -> Tensor:
    """Of each row, (rows,): the share of its largest elements that are the one of ``best``.

    Args:
        p: (rows, n), or logits. best: float32's answers, (rows,).
    """
    largest = p == p.amax(dim=-1, keepdim=True)
    hit = torch.gather(largest, 1, best[:, None])[:, 0]
    return hit.double() / largest.sum(dim=-1)


def mass(p: Tensor) -> Tensor:
    """Of each row, (rows,): the sum of its elements."""
    return p.sum(dim=-1, dtype=torch.float64)
