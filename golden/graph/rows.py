"""Gates that take a whole row:

sum        copies the gradient to its terms
max        routes it to the largest element, the first one where several are largest
softmax    dx = (diag(P) - PPᵀ)dP = P∘dP - (PᵀdP)P = P∘(dP - D), D = Σ P∘dP
"""

from dataclasses import dataclass

import numpy as np

from ..types import Reals
from .gate import Arrays, Gate


@dataclass(frozen=True, slots=True)
class Sum(Gate):
    """The sum of every row: (..., n) to (..., 1)."""

    name = "sum"

    @property
    def symbol(self) -> str:
        return "Σ"

    def forward(self, *inputs: Reals) -> Reals:
        return _rows(self, inputs).sum(axis=-1, keepdims=True)

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        return (np.broadcast_to(upstream, inputs[0].shape),)


@dataclass(frozen=True, slots=True)
class Max(Gate):
    """The largest element of every row: (..., n) to (..., 1).

    Among several that are largest, the first is taken to be the maximum: it gets the whole
    gradient.
    """

    name = "max"

    def forward(self, *inputs: Reals) -> Reals:
        return _rows(self, inputs).max(axis=-1, keepdims=True)

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        downstream = np.zeros_like(inputs[0])
        winner = inputs[0].argmax(axis=-1, keepdims=True)
        np.put_along_axis(downstream, winner, upstream, axis=-1)
        return (downstream,)


@dataclass(frozen=True, slots=True)
class Softmax(Gate):
    """P = exp(x - max) / Σ exp(x - max) of every row, as one gate.

    Its Jacobian diag(P) - PPᵀ is symmetric. No gradient for the maximum: shifting a row changes
    nothing, and what max routes cancels.
    """

    name = "softmax"

    def forward(self, *inputs: Reals) -> Reals:
        x = _rows(self, inputs)
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        d = (output * upstream).sum(axis=-1, keepdims=True)
        return (output * (upstream - d),)


def _rows(gate: Gate, inputs: Arrays) -> Reals:
    """The input, where it has rows of at least one element."""
    if inputs[0].shape[-1:] in ((), (0,)):
        raise ValueError(
            f"{gate.name} takes a row, not a single number (a row of one has a comma behind it)"
        )
    return inputs[0]
