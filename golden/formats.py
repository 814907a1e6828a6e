"""Fixed-point number formats, and the two roundings every stage is built from.

A *code* is the integer that the hardware holds; its value is ``code * 2**-f``. Codes are kept in
``int64`` arrays whatever the width, so that no intermediate of the golden model can wrap.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .given import plain, real_values, unmasked
from .spelling import spelled
from .types import Codes, Reals

MAX_WIDTH = 48
"""Widest format in bits: codes, and products of a code with a power of two, stay inside int64."""
GIVE_A_MASK = "fill them, and give the mask to softmax"


@dataclass(frozen=True, slots=True)
class Format:
    """A fixed-point format of ``i`` integer bits (counting the sign) and ``f`` fraction bits.

    Written :func:`SQ` or :func:`UQ`, the names of Amaranth's RFC 41.

    Raises:
        ValueError: a negative field, or a width outside 1 .. 48 bits.
    """

    signed: bool
    i: int
    f: int

    def __post_init__(self) -> None:
        for name in ("signed", "i", "f"):
            object.__setattr__(self, name, plain(getattr(self, name)))
        if type(self.signed) is not bool:
            raise ValueError(f"format must be signed or not, True or False, not {self.signed!r}")
        if type(self.i) is not int or type(self.f) is not int:
            raise ValueError(f"format must have whole numbers of bits, not {self.i!r}, {self.f!r}")
        if self.i < 0 or self.f < 0 or (self.signed and self.i < 1):
            raise ValueError(
                f"format must have non-negative integer and fraction bits, and a sign bit where it "
                f"is signed, not {self}"
            )
        if not 1 <= self.width <= MAX_WIDTH:
            raise ValueError(f"format must be 1 to {MAX_WIDTH} bits wide, not {self}")

    def __str__(self) -> str:
        return f"{'SQ' if self.signed else 'UQ'}({self.i}, {self.f})"

    @property
    def width(self) -> int:
        """Width in bits, the sign included."""
        return self.i + self.f

    @property
    def container(self) -> int:
        """Bits of the container that holds a code on a port: whole bytes."""
        return 8 * -(-self.width // 8)

    @property
    def min_code(self) -> int:
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max_code(self) -> int:
        return (1 << (self.width - self.signed)) - 1

    @property
    def lsb(self) -> float:
        """The value of one code step."""
        return 2.0**-self.f

    def quantize(self, x: npt.ArrayLike, limit: float | None = None) -> Codes:
        """Real values to the nearest codes (half up), saturated to the format.

        Args:
            x: real values of any shape; infinities saturate.
            limit: where given, values are first clipped to [-limit, limit].

        Raises:
            ValueError: ``x`` holds a NaN, no real numbers or elements that ``numpy.ma`` masks, or
                a limit below 0.
        """
        values = real_values("values to quantize", x, GIVE_A_MASK)
        if np.isnan(values).any():
            raise ValueError("values to quantize must not be NaN")
        low, high = self.min_code * self.lsb, self.max_code * self.lsb
        if limit is not None:
            limit = plain(limit)
            if not isinstance(limit, int | float) or not limit >= 0:
                raise ValueError(f"limit must be a number that is not negative, not {limit!r}")
            low, high = max(low, -limit), min(high, limit)
        scaled = np.ldexp(np.clip(values, low, high), self.f)
        floor = np.floor(scaled)
        # floor(x + 0.5) would round 0.5 - 2**-54 up, for the sum rounds; the difference is exact
        return (floor + (scaled - floor >= 0.5)).astype(np.int64)

    def to_float(self, codes: npt.ArrayLike) -> Reals:
        """The exact values of codes.

        Raises:
            ValueError: no real numbers, or elements that ``numpy.ma`` masks.
        """
        return np.ldexp(real_values("codes", codes), -self.f)


def SQ(i: int, f: int) -> Format:  # noqa: N802  (the field's spelling)
    """Signed format: ``i`` integer bits counting the sign, ``f`` fraction bits."""
    return Format(True, i, f)


def UQ(i: int, f: int) -> Format:  # noqa: N802  (the field's spelling)
    """Unsigned format: ``i`` integer bits, ``f`` fraction bits."""
    return Format(False, i, f)


def parse_format(text: str) -> Format:
    """Read ``SQ(5, 11)``, ``UQ(0, 16)``, ``Q5.11`` or ``ap_fixed<16,5>``; see :func:`spelled`.

    Raises:
        ValueError: any other spelling, modes that the hardware does not have, or a format that
            cannot exist.
    """
    return Format(*spelled(text))


def round_half_up(codes: Codes, bits: Codes | int) -> Codes:
    """Drop ``bits`` >= 0 fraction bits: add half, then floor, in exact integers."""
    bits = np.asarray(bits, dtype=np.int64)
    return ((codes >> np.maximum(bits - 1, 0)) + (bits > 0)) >> (bits > 0)


def saturate(codes: Codes, low: int, high: int) -> Codes:
    """Codes beyond ``low`` or ``high`` become that limit."""
    return np.clip(codes, low, high)


def checked_codes(name: str, array: npt.ArrayLike, fmt: Format, max_length: int) -> Codes:
    """Rows of codes given by a caller.

    Raises:
        ValueError: no integers, rows that are empty or too long, codes that the format does not
            hold, elements that ``numpy.ma`` masks; the sentence names ``name``.
    """
    codes = unmasked(name, array)
    if codes.ndim == 0 or codes.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be an array of integer codes with rows along the last axis, not "
            f"{codes.ndim} dimensions of {codes.dtype}"
        )
    if not 1 <= codes.shape[-1] <= max_length:
        raise ValueError(
            f"{name} must have rows of 1 to max_length = {max_length} elements, not "
            f"{codes.shape[-1]}"
        )
    if codes.size and not (fmt.min_code <= codes.min() and codes.max() <= fmt.max_code):
        raise ValueError(
            f"{name} must hold codes of {fmt} ({fmt.min_code} to {fmt.max_code}), not "
            f"{codes.min()} to {codes.max()}"
        )
    return codes.astype(np.int64)
