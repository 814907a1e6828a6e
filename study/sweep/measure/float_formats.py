"""Float formats narrower than float64, and decimals: rounding float64 values to them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ....golden.types import Reals


class Rounding(Protocol):
    """What a baseline rounds to.

    Attributes:
        smallest: the smallest positive value there is. largest: the largest.
    """

    @property
    def smallest(self) -> float: ...

    @property
    def largest(self) -> float: ...

    def logits(self, values: Reals) -> Reals:
        """Values as they go in."""
        ...

    def results(self, values: Reals) -> Reals:
        """Values as they come out."""
        ...


@dataclass(frozen=True, slots=True)
class Float:
    """A binary float format with subnormals.

    Attributes:
        fraction: fraction bits, the leading one not counted.
        lowest: exponent of the smallest normal value.
        largest: the largest finite value; what is beyond, infinities too, saturates to it.
    """

    fraction: int
    lowest: int
    largest: float

    @property
    def smallest(self) -> float:
        """The smallest positive subnormal value."""
        return 2.0 ** (self.lowest - self.fraction)

    def cast(self, values: Reals) -> Reals:
        """The nearest values of the format, a tie to the even one."""
        values = np.clip(values, -self.largest, self.largest)
        exponent = np.maximum(np.frexp(values)[1] - 1, self.lowest)
        lsb = exponent - self.fraction
        rounded = np.ldexp(np.rint(np.ldexp(values, -lsb)), lsb)
        return np.clip(rounded, -self.largest, self.largest)

    def logits(self, values: Reals) -> Reals:
        return self.cast(values)

    def results(self, values: Reals) -> Reals:
        return self.cast(values)


@dataclass(frozen=True, slots=True)
class Decimals:
    """Results rounded to decimal places, a tie to the even digit; logits are left as they are."""

    places: int

    @property
    def smallest(self) -> float:
        """One in the last place."""
        return 10.0**-self.places

    @property
    def largest(self) -> float:
        """There is none."""
        return np.inf

    def logits(self, values: Reals) -> Reals:
        return values

    def results(self, values: Reals) -> Reals:
        return np.round(values, self.places)


BASELINES: dict[str, Rounding] = {
    "fp32": Float(23, -126, (2 - 2.0**-23) * 2.0**127),
    "fp16": Float(10, -14, 65504.0),
    "bf16": Float(7, -126, (2 - 2.0**-7) * 2.0**127),
    # OCP 8-bit Floating Point Specification, revision 1.0: e4m3 has no infinities
    "fp8_e4m3": Float(3, -6, 448.0),
    "fp8_e5m2": Float(2, -14, 57344.0),
    **{f"round_{places}": Decimals(places) for places in range(1, 7)},
}
"""By name: what a baseline rounds to."""
