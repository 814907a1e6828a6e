"""A sum as s * 2**q with s in [1, 2): the place of its leading one, and the bits behind it."""

from typing import Any, Protocol

import numpy as np

from ..types import Codes


class LimbSums(Protocol):
    """Sums of rows that are wider than an integer."""

    def __getitem__(self, rows: Any) -> "LimbSums":
        """Some of the sums."""
        ...

    def significand(self, kept: int, lowest: int) -> tuple[Codes, Codes]:
        """(q, s): see :func:`significand`."""
        ...


RowSums = Codes | LimbSums
"""Sums of rows, as codes or in limbs."""


def leading_one(codes: Codes) -> Codes:
    """Place of the highest set bit of positive codes; -1 for 0."""
    place = np.frexp(codes.astype(np.float64))[1].astype(np.int64) - 1
    # a code of more than 53 bits may round up to the next power of two
    return place - (np.right_shift(codes, np.maximum(place, 0)) == 0) * (codes > 0)


def significand(total: RowSums, fraction: int, kept: int, lowest: int) -> tuple[Codes, Codes]:
    """(q, s) of sums with ``fraction`` fraction bits: s without its leading 1, ``kept`` bits of it.

    Sums below 2**lowest are those of rows without an active element; they give q = lowest.
    """
    if not isinstance(total, np.ndarray):
        return total.significand(kept, lowest)
    q = np.maximum(leading_one(total) - fraction, lowest)
    below = fraction + q - kept  # bits of the sum below those that are kept
    s = np.where(below >= 0, total >> np.maximum(below, 0), total << np.maximum(-below, 0))
    return q, s & ((1 << kept) - 1)
