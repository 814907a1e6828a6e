"""The format that a range of values needs."""

from fractions import Fraction
from math import floor, isfinite

from ..formats import MAX_WIDTH, Format


def narrowest(low: float, high: float, f: int, *, signed: bool = False) -> Format | None:
    """The narrowest format of ``f`` fraction bits that holds a range without saturating.

    Args:
        signed: it is to be signed, where or not the range needs a sign.

    Returns:
        ``None`` where it would be wider than a format can be, or a limit is not finite.
    """
    if not (isfinite(low) and isfinite(high)):
        return None
    lowest, highest = (floor(Fraction(x) * 2**f + Fraction(1, 2)) for x in (low, high))
    signed = signed or lowest < 0
    # ~low = -low - 1: of as many bits, the lowest code lies one further out than the highest
    bits = max(max(highest, 0).bit_length(), (~min(lowest, -1)).bit_length())
    i = max(bits - f, 0) + signed
    i = max(i, 1 - f)  # a range of zeros takes a bit, too
    return Format(signed, i, f) if i + f <= MAX_WIDTH else None
