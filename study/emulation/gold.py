"""What the golden model gives of rows of real logits: quantise, then the units' own functions."""

from dataclasses import dataclass

import numpy as np

from ...golden.config import SoftmaxConfig
from ...golden.types import Bits, Codes, Reals
from ...golden.units.cross_entropy import cross_entropy_rows
from ...golden.units.softmax import softmax_rows
from ...golden.units.softmax_backward import backward_rows


@dataclass(frozen=True, eq=False, slots=True)
class GoldenRows:
    """Rows of logits, (rows, n), of which -inf takes no part.

    Attributes:
        codes: of ``config.input``; 0 where an element takes no part.
        active: it takes part.
    """

    config: SoftmaxConfig
    codes: Codes
    active: Bits

    @classmethod
    def of(cls, logits: Reals, config: SoftmaxConfig) -> "GoldenRows":
        """Rows of real logits."""
        active = logits != -np.inf
        return cls(config, config.input.quantize(np.where(active, logits, 0.0)), active)

    def p(self) -> Reals:
        """Values of the codes of p."""
        rows = softmax_rows(self.codes, self.config, ~self.active)
        return np.ldexp(self.config.output.to_float(rows.p), -rows.exponent[:, None])

    def gradient(self, dp: Reals) -> Reals:
        """dS for upstream gradients, of which each row fills the format of the unit's input."""
        rows, fmt = softmax_rows(self.codes, self.config, ~self.active), self.config.grad_input
        scale = _scale(dp, fmt.i)
        codes = fmt.quantize(np.ldexp(dp, scale))
        ds = backward_rows(rows.p, codes, self.config, rows.clipped, rows.exponent).ds
        values = self.config.grad_output.to_float(ds)
        return np.ldexp(values, -scale - rows.exponent[:, None]) * self.config.scale

    def loss(self, target: Codes) -> Reals:
        """Values of the losses' codes."""
        return self.config.loss.to_float(self._losses(target).loss)

    def loss_gradient(self, target: Codes, upstream: np.float32) -> Reals:
        """Gradients by the logits of the losses, times the upstream gradient of every row, in
        float32."""
        rows = self._losses(target)
        values = self.config.loss_grad.to_float(rows.grad)
        values = np.ldexp(values, -rows.exponent[:, None]) * np.float64(upstream)
        return values.astype(np.float32).astype(np.float64) * self.config.scale

    def _losses(self, target: Codes):
        lengths = np.full(len(target), self.codes.shape[1])
        return cross_entropy_rows(self.codes, self.active, lengths, target, self.config)


def _scale(dp: Reals, integer_bits: int) -> Codes:
    """The largest e with max |dp| 2**e < 2**(integer_bits - 1) of every row, (rows, 1)."""
    largest = np.abs(dp).max(axis=-1, keepdims=True)
    return np.where(largest > 0, integer_bits - 1 - np.frexp(largest)[1], 0)
