"""What the hardware holds of a value: codes of a format, or a mantissa and a shift."""

from dataclasses import dataclass

import numpy as np

from ..formats import Format
from ..types import Codes, Reals
from .narrowest import narrowest


@dataclass(frozen=True, eq=False, slots=True)
class Fixed:
    """The numbers that a place in the hardware holds.

    Attributes:
        value: exact. lsb: of every element, broadcast to its shape.
        format: in words.
        note: what it could not hold, in a sentence; empty where it holds everything.
    """

    value: Reals
    lsb: Reals
    format: str
    note: str = ""

    @classmethod
    def of_codes(cls, codes: Codes, fmt: Format | str, f: int) -> "Fixed":
        """Codes of ``f`` fraction bits."""
        return cls(np.ldexp(codes.astype(np.float64), -f), np.asarray(2.0**-f), str(fmt))

    @classmethod
    def of_mantissa(cls, mantissa: Codes, shift: Codes, i: int, f: int, letter: str) -> "Fixed":
        """Mantissas of a format UQ(i, f), each by its own power of two, 2**-shift."""
        place = -(f + shift).astype(int)
        value = np.ldexp(mantissa.astype(np.float64), place)
        return cls(value, np.ldexp(np.ones(shift.shape), place), f"UQ({i}, {f})·2^-{letter}")

    @classmethod
    def quantized(cls, values: Reals, fmt: Format) -> "Fixed":
        """Values rounded half up to a format and saturated to it.

        Raises:
            ValueError: a value that is nan.
        """
        if np.isnan(values).any():
            raise ValueError(f"a value in {fmt} must be a number, not nan")
        codes = fmt.quantize(values)
        return cls(fmt.to_float(codes), np.asarray(fmt.lsb), str(fmt), _saturation(values, fmt))

    def difference(self, exact: Reals) -> Reals:
        """How far it is above the exact value, in LSB."""
        with np.errstate(all="ignore"):
            return (self.value - exact) / self.lsb


def _saturation(values: Reals, fmt: Format) -> str:
    """How many values a format could not hold, and which format would."""
    below = values < (fmt.min_code - 0.5) * fmt.lsb  # what rounds into the format is held
    above = values >= (fmt.max_code + 0.5) * fmt.lsb
    count = int((below | above).sum())
    if not count:
        return ""
    least, most = float(values.min()), float(values.max())
    wider = narrowest(least, most, fmt.f, signed=fmt.signed)
    holds = str(wider) if wider else f"no format of {fmt.f} fraction bits"
    return f"{count} of {values.size} values saturated in {fmt}; {holds} holds them"
