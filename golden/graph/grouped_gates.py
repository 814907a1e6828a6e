"""Gates for what chains of primitive gates compute, with the backward that hardware implements.

Each has the derivative of its chain (see the chains in :mod:`.graph`), in fewer operations:

    sigmoid        dx = y(1 - y)∘dy
    clip           dx = dy where the input was not clipped
    softmax        dx = (diag(P) - PPᵀ)dP = P∘dP - (PᵀdP)P = P∘(dP - D), D = Σ P∘dP
    softmax loss   dx = p - y
"""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

import numpy as np

from ..given import plain
from ..types import Reals
from .gates import Arrays, Elementwise, Gate, require_rows


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
class Clip(Elementwise):
    """x limited to [low, high].

    The gradient rule is the hardware's ``clip_gradient``: ``"zero"`` is the derivative, 0 where
    the input was clipped (a value on the limit was not); ``"pass"`` hands the gradient through as
    if nothing had been clipped.

    Raises:
        ValueError: limits that are not finite or not in order, or another rule.
    """

    name = "clip"

    low: float
    high: float
    gradient: Literal["zero", "pass"] = "zero"

    def __post_init__(self) -> None:
        limits = [plain(limit) for limit in (self.low, self.high)]
        numbers = all(isinstance(limit, int | float) and isfinite(limit) for limit in limits)
        if not numbers or limits[0] > limits[1]:
            raise ValueError(
                f"limits of a clip gate must be finite, low <= high, not {self.low}, {self.high}"
            )
        if self.gradient not in ("zero", "pass"):
            raise ValueError(
                f'gradient of a clip gate must be "zero" or "pass", not {self.gradient!r}'
            )

    def forward(self, *inputs: Reals) -> Reals:
        return np.clip(inputs[0], self.low, self.high)

    def slope(self, x: Reals, y: Reals) -> Reals:
        inside = (self.low <= x) & (x <= self.high)
        return (inside | (self.gradient == "pass")).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Softmax(Gate):
    """P = exp(x - max) / Σ exp(x - max) of every row, as one gate.

    Its Jacobian diag(P) - PPᵀ is symmetric, so one formula of O(n) serves both directions. No
    gradient for the maximum: shifting a row changes nothing, and what max routes cancels.
    """

    name = "softmax"

    def forward(self, *inputs: Reals) -> Reals:
        x = require_rows(self.name, inputs[0])
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        d = (output * upstream).sum(axis=-1, keepdims=True)
        return (output * (upstream - d),)

    def push(self, tangents: Arrays, inputs: Arrays, output: Reals) -> Reals:
        return self.backward(tangents[0], inputs, output)[0]

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        return (2 * output.size,)  # P∘dP for D, and P∘(dP - D)


@dataclass(frozen=True, slots=True)
class SoftmaxWithLoss(Gate):
    """Cross-entropy of softmax: -Σ y ln p, which is ln Σ exp(x - max) - (x - max)_t for a class t.

    Inputs are logits (..., n) and targets; the output is a loss for every row, (...). Targets are
    class indices (...), which have no gradient, or probabilities y (..., n). The logits' gradient
    is p Σy - y: p - y where the probabilities sum to 1.

    Raises:
        ValueError: another kind of ``targets``.
    """

    name = "softmax_with_loss"
    arity = 2

    targets: Literal["index", "probabilities"] = "index"

    def __post_init__(self) -> None:
        if self.targets not in ("index", "probabilities"):
            raise ValueError(f'targets must be "index" or "probabilities", not {self.targets!r}')

    def forward(self, *inputs: Reals) -> Reals:
        y, log_p = self._row(inputs)
        return -(y * log_p).sum(axis=-1)

    def backward(self, upstream: Reals, inputs: Arrays, output: Reals) -> Arrays:
        y, log_p = self._row(inputs)
        u = upstream[..., np.newaxis]
        dx = u * (np.exp(log_p) * y.sum(axis=-1, keepdims=True) - y)
        return dx, np.zeros_like(inputs[1]) if self.targets == "index" else u * -log_p

    def push(self, tangents: Arrays, inputs: Arrays, output: Reals) -> Reals:
        logits, targets = self.backward(np.ones_like(output), inputs, output)
        pushed = (logits * tangents[0]).sum(axis=-1)
        return pushed + (0 if self.targets == "index" else (targets * tangents[1]).sum(axis=-1))

    def multiply_adds(self, inputs: Arrays, output: Reals) -> tuple[int, ...]:
        logits = inputs[0].size
        return logits, 0 if self.targets == "index" else logits

    def _row(self, inputs: Arrays) -> tuple[Reals, Reals]:
        """Target probabilities y and ln p, both (..., n)."""
        x, t = require_rows(self.name, inputs[0]), inputs[1]
        expected = x.shape[:-1] if self.targets == "index" else x.shape
        if t.shape != expected:
            raise ValueError(
                f"targets ({self.targets}) for logits {x.shape} must have shape {expected}, "
                f"not {t.shape}"
            )
        if self.targets == "index":
            wrong = t[(t != np.floor(t)) | (t < 0) | (t >= x.shape[-1])]
            if wrong.size:
                raise ValueError(
                    f"targets must be whole numbers from 0 to {x.shape[-1] - 1}, not {wrong[0]:g}"
                )
            t = (t[..., np.newaxis] == np.arange(x.shape[-1])).astype(np.float64)
        return t, _log_softmax(x)


def _log_softmax(x: Reals) -> Reals:
    below = x - x.max(axis=-1, keepdims=True)
    return below - np.log(np.exp(below).sum(axis=-1, keepdims=True))
