"""Real values to codes and back, and the rounding of codes."""

import torch
from torch import Tensor

from ....formats import Format

BIAS, FRACTION_BITS = 1023, 52
"""Of a float64: what is added to its exponent, and where the exponent starts."""


def power_of_two(exponent: Tensor) -> Tensor:
    """2**exponent as float64, exactly, for exponents from -1022 to 1023."""
    return ((exponent + BIAS) << FRACTION_BITS).view(torch.float64)


def quantize(scaled: Tensor, fmt: Format) -> tuple[Tensor, Tensor]:
    """(codes, which of them are saturated) of values in LSB, rounded half up.

    Args:
        scaled: float64, no NaN.
    """
    floor = scaled.floor()
    # floor(x + 0.5) would round 0.5 - 2**-54 up, for the sum rounds; the difference is exact
    rounded = floor + (scaled - floor >= 0.5)
    kept = rounded.clamp(fmt.min_code, fmt.max_code)
    return kept.to(torch.int64), kept != rounded


def values(codes: Tensor, places: Tensor | int, dtype: torch.dtype) -> Tensor:
    """codes * 2**-places, exact in float64, then in a dtype."""
    scale = power_of_two(-places) if isinstance(places, Tensor) else 2.0**-places
    return (codes.to(torch.float64) * scale).to(dtype)


def round_half_up(codes: Tensor, bits: Tensor) -> Tensor:
    """Drop ``bits`` fraction bits, none where that is 0 or less."""
    return ((codes >> (bits - 1).clamp(min=0)) + (bits > 0)) >> (bits > 0).to(torch.int64)


def drop_half_up(codes: Tensor, bits: int) -> Tensor:
    """:func:`round_half_up` by one number of bits, 1 or more, for all."""
    return ((codes >> (bits - 1)) + 1) >> 1
