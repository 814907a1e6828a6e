"""Gates that are functions of one element: each multiplies the gradient by its slope.

Where the slope is a function of the output, no second exponential or division is needed:

    exp(x)          y
    reciprocal(x)   -y²
    sigmoid(x)      y(1 - y)
"""

from dataclasses import dataclass
from math import log

import numpy as np

from ..types import Reals
from .gate import Elementwise


@dataclass(frozen=True, slots=True)
class Exp(Elementwise):
    """exp(x), its own slope."""

    name = "exp"

    def forward(self, *inputs: Reals) -> Reals:
        return np.exp(inputs[0])

    def slope(self, x: Reals, y: Reals) -> Reals:
        return y


@dataclass(frozen=True, slots=True)
class Ln(Elementwise):
    """The natural logarithm; slope 1/x. -inf at 0, nan below."""

    name = "ln"

    def forward(self, *inputs: Reals) -> Reals:
        return np.log(inputs[0])

    def slope(self, x: Reals, y: Reals) -> Reals:
        return 1 / x


@dataclass(frozen=True, slots=True)
class Reciprocal(Elementwise):
    """1/x; slope -1/x², which is -y²: no second division."""

    name = "reciprocal"

    @property
    def symbol(self) -> str:
        return "1/x"

    def forward(self, *inputs: Reals) -> Reals:
        return 1 / inputs[0]

    def slope(self, x: Reals, y: Reals) -> Reals:
        return -y * y


@dataclass(frozen=True, slots=True)
class Sigmoid(Elementwise):
    """1/(1 + exp(-x)) as one gate; slope y(1 - y)."""

    name = "sigmoid"

    def forward(self, *inputs: Reals) -> Reals:
        (x,) = inputs
        e = np.exp(-np.abs(x))  # of the side that cannot overflow
        return np.where(x >= 0, 1.0, e) / (1 + e)

    def slope(self, x: Reals, y: Reals) -> Reals:
        return y * (1 - y)


@dataclass(frozen=True, slots=True)
class ReLU(Elementwise):
    """max(x, 0). The diagonal is a mask: 1 where x > 0, else 0, at 0 too."""

    name = "relu"

    def forward(self, *inputs: Reals) -> Reals:
        return np.maximum(inputs[0], 0.0)

    def slope(self, x: Reals, y: Reals) -> Reals:
        return (x > 0).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Power(Elementwise):
    """x to a fixed exponent; slope n x^(n - 1). nan below 0 unless the exponent is whole."""

    name = "power"

    exponent: float

    @property
    def symbol(self) -> str:
        return f"^{self.exponent:g}"

    def spelled(self, *operands: str) -> str:
        return f"{operands[0]} ^ {self.exponent:g}"

    def forward(self, *inputs: Reals) -> Reals:
        return np.power(inputs[0], self.exponent)

    def slope(self, x: Reals, y: Reals) -> Reals:
        if self.exponent == 0:
            return np.zeros_like(x)
        return self.exponent * np.power(x, self.exponent - 1)


@dataclass(frozen=True, slots=True)
class Exponential(Elementwise):
    """A fixed base to the power x, as 2^x, which hardware has for a shift; slope y ln(base).

    Raises:
        ValueError: a base that is not above 0.
    """

    name = "exponential"

    base: float

    def __post_init__(self) -> None:
        if not self.base > 0:
            raise ValueError(f"^ takes a base above 0, not {self.base:g}")

    @property
    def symbol(self) -> str:
        return f"{self.base:g}^x"

    def spelled(self, *operands: str) -> str:
        return f"{self.base:g} ^ {operands[0]}"

    def forward(self, *inputs: Reals) -> Reals:
        return np.power(self.base, inputs[0])

    def slope(self, x: Reals, y: Reals) -> Reals:
        return y * log(self.base)


@dataclass(frozen=True, slots=True)
class Clip(Elementwise):
    """x limited to [low, high]; slope 0 where it was clipped. A value on the limit was not.

    Raises:
        ValueError: limits that are not in order.
    """

    name = "clip"

    low: float
    high: float

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(
                f"{self.name} takes a lower and an upper limit, not {self.low:g} and {self.high:g}"
            )

    def spelled(self, *operands: str) -> str:
        return f"{self.name}({operands[0]}, {self.low:g}, {self.high:g})"

    def forward(self, *inputs: Reals) -> Reals:
        return np.clip(inputs[0], self.low, self.high)

    def slope(self, x: Reals, y: Reals) -> Reals:
        return ((self.low <= x) & (x <= self.high)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Saturate(Clip):
    """x limited to [low, high], and the gradient handed through as if it had not been."""

    name = "saturate"

    def slope(self, x: Reals, y: Reals) -> Reals:
        return np.ones_like(x)
