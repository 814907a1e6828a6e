"""Gates of plain arithmetic, and how gradients pass them:

x + y     hands the upstream gradient to both inputs
x - y     the same, with the other sign for y
x * y     swaps: each input gets the upstream gradient times the other
x / y     as x * (1 / y)
"""

from dataclasses import dataclass

import numpy as np

from ..types import Reals
from .gate import Arrays, Elementwise, Infix, sum_to


@dataclass(frozen=True, slots=True)
class Add(Infix):
    """x + y, of shapes that broadcast."""

    name = "add"
    sign = "+"

    def forward(self, *inputs: Reals) -> Reals:
        x, y = self.paired(inputs)
        return x + y

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, y = inputs
        return sum_to(upstream, x.shape), sum_to(upstream, y.shape)


@dataclass(frozen=True, slots=True)
class Subtract(Infix):
    """x - y, of shapes that broadcast."""

    name = "subtract"
    sign = "-"

    def forward(self, *inputs: Reals) -> Reals:
        x, y = self.paired(inputs)
        return x - y

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, y = inputs
        return sum_to(upstream, x.shape), sum_to(-upstream, y.shape)


@dataclass(frozen=True, slots=True)
class Multiply(Infix):
    """x∘y element by element, of shapes that broadcast."""

    name = "multiply"
    sign = "*"

    def forward(self, *inputs: Reals) -> Reals:
        x, y = self.paired(inputs)
        return x * y

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, y = inputs
        return sum_to(upstream * y, x.shape), sum_to(upstream * x, y.shape)


@dataclass(frozen=True, slots=True)
class Divide(Infix):
    """x / y element by element, of shapes that broadcast; slopes 1/y and -(x/y)/y."""

    name = "divide"
    sign = "/"

    def forward(self, *inputs: Reals) -> Reals:
        x, y = self.paired(inputs)
        return x / y

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        x, y = inputs
        return sum_to(upstream / y, x.shape), sum_to(-upstream * (x / y) / y, y.shape)


@dataclass(frozen=True, slots=True)
class Negate(Elementwise):
    """-x."""

    name = "negate"

    @property
    def symbol(self) -> str:
        return "-"

    def spelled(self, *operands: str) -> str:
        return f"-{operands[0]}"

    def forward(self, *inputs: Reals) -> Reals:
        return -inputs[0]

    def slope(self, x: Reals, y: Reals) -> Reals:
        return np.full_like(x, -1.0)


@dataclass(frozen=True, slots=True)
class Copy(Elementwise):
    """x again, as under another name or in another format."""

    name = "copy"

    @property
    def symbol(self) -> str:
        return "="

    def spelled(self, *operands: str) -> str:
        return operands[0]

    def forward(self, *inputs: Reals) -> Reals:
        return inputs[0]

    def slope(self, x: Reals, y: Reals) -> Reals:
        return np.ones_like(x)
