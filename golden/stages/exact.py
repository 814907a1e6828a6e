"""Correctly rounded table entries: high-precision reals to integers, half to even.

Tables are the one place where real numbers become codes, so they are computed far beyond the
precision of any format (mpmath) and rounded once.
"""

from collections.abc import Callable, Iterable
from typing import Any

import mpmath
import numpy as np

from ..types import Codes

Real = Any
"""An mpmath number; mpmath ships no types."""

WORKING_BITS = 200
"""Precision of the intermediate reals, in bits: no table entry of a format up to 48 bits can lie
this near to a tie unless it is one."""


def round_half_even(value: Real) -> int:
    """The nearest integer; a tie goes to the even one."""
    return int(mpmath.nint(value))


def table(entry: Callable[[int], Real], indices: Iterable[int]) -> Codes:
    """``entry(index)``, a high-precision real, rounded half to even, for every index."""
    with mpmath.workprec(WORKING_BITS):
        return np.array([round_half_even(entry(index)) for index in indices], dtype=np.int64)
