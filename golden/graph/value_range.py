"""What values a place in a computation takes, and the format that they need."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor, isfinite

from ..formats import Format
from ..types import Reals


@dataclass(frozen=True, slots=True)
class Range:
    """What a node has seen in every forward so far, before its format was applied.

    Attributes:
        low, high: smallest and largest value.
        saturated: how many values its format could not hold.
    """

    low: float
    high: float
    saturated: int = 0

    @classmethod
    def of(cls, values: Reals, fmt: Format | None) -> "Range":
        """The range of an array on its way into a format."""
        low, high = float(values.min()), float(values.max())
        if fmt is None:
            return cls(low, high)
        # what rounds into the format, half up, is not saturated
        below = values < (fmt.min_code - 0.5) * fmt.lsb
        above = values >= (fmt.max_code + 0.5) * fmt.lsb
        return cls(low, high, int((below | above).sum()))

    def __or__(self, other: "Range") -> "Range":
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Range(low, high, self.saturated + other.saturated)

    def format(self, f: int) -> Format:
        """The narrowest format of ``f`` fraction bits that holds the range without saturating.

        Raises:
            ValueError: it would be wider than a format can be, or a limit is not finite.
        """
        if not (isfinite(self.low) and isfinite(self.high)):
            raise ValueError(
                f"range must be finite to have a format, not {self.low} to {self.high}"
            )
        low, high = (floor(Fraction(x) * 2**f + Fraction(1, 2)) for x in (self.low, self.high))
        signed = low < 0
        # ~low = -low - 1: of as many bits, the lowest code lies one further out than the highest
        bits = max(max(high, 0).bit_length(), (~low).bit_length() if signed else 0)
        i = max(bits - f, 0) + signed
        return Format(signed, max(i, 1 - f), f)  # a range of zeros takes a bit, too
