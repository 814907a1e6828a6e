"""What a caller gave, as the golden model takes it: plain numbers, and arrays without hidden parts.

NumPy's scalars are numbers to their owners, and must not make another configuration than the plain
ones. The masked elements of a ``numpy.ma`` array are lost by ``np.asarray`` without a word: they
are honoured where a mask exists, and refused elsewhere.
"""

from decimal import Decimal
from fractions import Fraction
from math import inf, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from .types import Bits


def plain(value: Any) -> Any:
    """A value as Python's own number or text; what is neither comes back as it is.

    NumPy's scalars, arrays of no dimension and subclasses of ``int`` and ``float`` count as
    numbers, and so do fractions and decimals, which become floats: the rules for each field say
    whether that is one they take.
    """
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, np.floating):  # a long double has no item of Python's
        return float(value)
    if isinstance(value, Fraction | Decimal):
        try:
            return float(value)
        except ValueError:  # a signalling NaN
            return nan
        except OverflowError:
            return inf if value > 0 else -inf
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value) if type(value) is not kind else value
    return value


def unmasked(name: str, array: npt.ArrayLike, instead: str = "fill them first") -> np.ndarray:
    """An array without masked elements.

    Args:
        name: of the argument, for the sentence of an error. instead: what a caller can do.

    Raises:
        ValueError: ``numpy.ma`` masks an element, or what was given is no array.
    """
    if np.ma.is_masked(array):
        raise ValueError(f"{name} must have no elements that numpy.ma masks: {instead}")
    try:
        return np.asarray(array)
    except ValueError:
        raise ValueError(f"{name} must be an array, not lists of different lengths") from None


def real_values(name: str, array: npt.ArrayLike, instead: str = "fill them first") -> np.ndarray:
    """Real numbers as float64.

    Raises:
        ValueError: another dtype, or elements that ``numpy.ma`` masks.
    """
    values = unmasked(name, array, instead)
    if values.dtype.kind in "biufO":  # objects can be fractions and decimals
        try:
            return values.astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            pass
    raise ValueError(f"{name} must be real numbers, not {values.dtype}")


def left_out(x: npt.ArrayLike, mask: npt.ArrayLike | None, shape: tuple[int, ...]) -> Bits:
    """Where elements of ``x`` take no part: by ``mask``, or because ``numpy.ma`` masks them.

    Args:
        mask: broadcast to ``shape``: bool, or 0 and 1.

    Raises:
        ValueError: a mask of another kind or shape.
    """
    hidden = np.ma.getmaskarray(x) if isinstance(x, np.ma.MaskedArray) else np.zeros(shape, bool)
    return hidden if mask is None else hidden | flags("mask", mask, shape)


def without_mask(x: npt.ArrayLike) -> npt.ArrayLike:
    """An array with 0 where ``numpy.ma`` masks an element; :func:`left_out` tells where."""
    return x.filled(0) if isinstance(x, np.ma.MaskedArray) else x


def flags(name: str, array: npt.ArrayLike, shape: tuple[int, ...]) -> Bits:
    """Flags, broadcast to ``shape``.

    Raises:
        ValueError: anything but bool, or 0 and 1, or a shape that does not broadcast.
    """
    given = unmasked(name, array)
    if given.dtype.kind not in "biu" or not ((given == 0) | (given == 1)).all():
        raise ValueError(f"{name} must be flags, True or False, not {given.dtype}")
    try:
        return np.broadcast_to(given.astype(bool), shape)
    except ValueError:
        raise ValueError(f"{name} must broadcast to shape {shape}, not {given.shape}") from None
