"""What a gate is: a value forward, and a gradient backward that never builds a Jacobian.

A gate with output y = g(x, ...) and Jacobian J = ∂y/∂x applies J from the left: ``backward`` gives
uJ, the vector-Jacobian product of the upstream gradient u.

Rows lie along the last axis. Inputs that broadcast were copied, so their gradient is summed over
what they were copied to. Values are those of IEEE 754: what overflows or has no value is inf or
nan, and no gate refuses it.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ..types import Reals

Arrays = tuple[Reals, ...]


class Gate(ABC):
    """A function of ``arity`` float64 arrays, and the product with its Jacobian.

    Attributes:
        name: what nodes are named after.
        arity: number of inputs.
        symbol: what stands in its box.
    """

    name: ClassVar[str]
    arity: ClassVar[int] = 1

    @property
    def symbol(self) -> str:
        return self.name

    def spelled(self, *operands: str) -> str:
        """The gate on operands, in the notation of :mod:`.notation`."""
        return f"{self.name}({', '.join(operands)})"

    @abstractmethod
    def forward(self, *inputs: Reals) -> Reals:
        """The output.

        Raises:
            ValueError: inputs of a shape that the gate has no value for.
        """

    @abstractmethod
    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        """The gradient of every input, in its shape, from that of the output (uJ)."""


class Elementwise(Gate):
    """A function of one element: its Jacobian is diagonal, and only the diagonal is kept."""

    @abstractmethod
    def slope(self, x: Reals, y: Reals) -> Reals:
        """The diagonal of the Jacobian at input ``x`` and output ``y``."""

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        return (upstream * self.slope(inputs[0], output),)


class Infix(Gate):
    """A gate of two inputs that is written between them.

    Attributes:
        sign: of the notation.
    """

    arity: ClassVar[int] = 2
    sign: ClassVar[str]

    @property
    def symbol(self) -> str:
        return self.sign

    def spelled(self, *operands: str) -> str:
        return f"{operands[0]} {self.sign} {operands[1]}"

    def paired(self, inputs: Arrays) -> Arrays:
        """The inputs, where their shapes broadcast."""
        shapes = [x.shape for x in inputs]
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            raise ValueError(
                f"{self.sign} takes rows of one length, or a row and a number, not shapes "
                f"{shapes[0]} and {shapes[1]}"
            ) from None
        return inputs


def sum_to(gradient: Reals, shape: tuple[int, ...]) -> Reals:
    """A gradient summed over the axes that ``shape`` was broadcast along, in that shape."""
    extra = gradient.ndim - len(shape)
    stretched = [extra + k for k, n in enumerate(shape) if n == 1]
    return gradient.sum(axis=(*range(extra), *stretched)).reshape(shape)
