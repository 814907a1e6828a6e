"""The power of two by which a row's gradients fill the format that they are quantised to."""

import torch
from torch import Tensor

from ...formats import Format

MOST_EXPONENT = 126
"""Largest exponent either way: a float32 holds 2**e and 2**-e as normal numbers."""


def gradient_exponents(dp: Tensor, fmt: Format) -> Tensor:
    """For every row the largest e with max |dp| * 2**e < 2**(fmt.i - 1), so that only rounding up
    to that limit saturates; within +-``MOST_EXPONENT``, and 0 where a row is all 0 or not finite.

    Args:
        dp: (rows, n), n at least 1.

    Returns:
        int64, (rows, 1).
    """
    largest = dp.abs().amax(dim=-1, keepdim=True).to(torch.float64)
    counted = largest.isfinite() & (largest > 0)
    power = torch.frexp(torch.where(counted, largest, 1.0)).exponent.to(torch.int64)
    exponents = (fmt.i - 1 - power).clamp(-MOST_EXPONENT, MOST_EXPONENT)
    return torch.where(counted, exponents, 0)
