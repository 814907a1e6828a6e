"""A sum as s * 2**q with s in [1, 2): the place of its leading one, and the bits behind it."""

from typing import Protocol

import torch
from torch import Tensor


class RowSums(Protocol):
    """Sums of rows, (rows, 1)."""

    def significand(self, kept: int, lowest: int) -> tuple[Tensor, Tensor]:
        """(q, s): s without its leading 1, ``kept`` bits of it. A sum below 2**lowest, which only
        a row without an active element has, gives q = lowest."""
        ...


def leading_one(codes: Tensor) -> Tensor:
    """Place of the highest set bit of positive codes; -1 for 0."""
    place = torch.frexp(codes.to(torch.float64)).exponent.to(torch.int64) - 1
    # a code of more than 53 bits may round up to the next power of two
    beyond = ((codes >> place.clamp(min=0)) == 0) & (codes > 0)
    return place - beyond.to(torch.int64)


def low_bits(codes: Tensor, bits: int) -> Tensor:
    """The last bits of codes."""
    return codes & ((1 << bits) - 1)
