"""The units of the torch engine: from rows of real values to rows of real values."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...stages.loss import WEIGHT_FRACTION
from .engine import Forward, Losses, carrier
from .gradient_scale import gradient_exponents
from .stages.exp import Exp
from .stages.exponentials import Elements, exponentials
from .stages.gate import packed, unpacked
from .stages.gradient import Gradient
from .stages.logits import Logits
from .stages.loss import Loss
from .stages.probability import Logarithm, Probability, output_stage
from .stages.reciprocal import Reciprocal
from .stages.residual import Residual
from .stages.rounding import power_of_two, quantize, values
from .stages.row_exponent import row_exponent


@dataclass(frozen=True, eq=False, slots=True)
class SoftmaxUnit:
    """p of rows of logits, or log p."""

    config: SoftmaxConfig
    exp: Exp
    reciprocal: Reciprocal
    output: Probability | Logarithm

    def __call__(self, x: Tensor, *, keep_gate: bool) -> Forward:
        config = self.config
        logits = Logits.of(x, config.input)
        elements = exponentials(logits, self.exp, config)
        exponent = row_exponent(elements, self.exp, self.reciprocal, config)
        codes = self.output(elements, exponent)
        clipped = elements.clipped
        return Forward(
            values(codes, config.output.f + exponent, carrier(config.output)),
            packed(clipped if keep_gate else clipped[:, :0]),
            exponent[: len(x) * config.has_exponent, 0].to(torch.int32),
            clipped.sum(),
            logits.invalid.sum(),
        )


@lru_cache(maxsize=64)
def softmax_unit(config: SoftmaxConfig, device: torch.device) -> SoftmaxUnit:
    """The unit of a configuration, its tables on a device."""
    exp, reciprocal = Exp.of(config, device), Reciprocal.of(config, device)
    return SoftmaxUnit(config, exp, reciprocal, output_stage(config, device))


@dataclass(frozen=True, eq=False, slots=True)
class BackwardUnit:
    """dS of rows of p and dP; ``grad_exponent`` as :meth:`.Engine.softmax_backward` takes it."""

    config: SoftmaxConfig
    gradient: Gradient
    grad_exponent: int | None

    @classmethod
    def of(cls, config: SoftmaxConfig, grad_exponent: int | None, seed: int) -> "BackwardUnit":
        return cls(config, Gradient.of(config, seed), grad_exponent)

    def __call__(
        self, p: Tensor, dp: Tensor, gate: Tensor, exponent: Tensor, first_row: int
    ) -> Tensor:
        config = self.config
        s = exponent[:, None].to(torch.int64) if config.has_exponent else _zeros(p)
        e = self._scales(dp)
        lost = ~dp.isfinite().all(dim=-1, keepdim=True)
        whole = p.to(torch.float64) * power_of_two(config.output.f + s)
        scaled = torch.where(lost, 0, dp).to(torch.float64) * power_of_two(config.grad_input.f + e)
        codes, _ = quantize(scaled, config.grad_input)
        ds = self.gradient(whole.to(torch.int64), codes, s, first_row)
        if gate.shape[-1]:
            ds = ds.masked_fill(unpacked(gate, p.shape[-1]), 0)
        places = config.grad_output.f + e + s
        return values(ds, places, p.dtype).masked_fill(lost, torch.nan)

    def _scales(self, dp: Tensor) -> Tensor:
        """The exponent by which every row's dP is multiplied, (rows, 1)."""
        if self.grad_exponent is None:
            return gradient_exponents(dp, self.config.grad_input)
        return _zeros(dp) + self.grad_exponent


@dataclass(frozen=True, eq=False, slots=True)
class LossUnit:
    """Losses of rows of logits, and their gradients."""

    config: SoftmaxConfig
    exp: Exp
    loss: Loss
    residual: Residual

    def losses(self, x: Tensor, target: Tensor) -> Losses:
        logits, elements, z, error = self._started(x, target)
        loss = self.loss(elements, z).masked_fill(~z.any(dim=-1), 0)
        return Losses(
            values(loss, self.config.loss.f, carrier(self.config.loss)),
            elements.clipped.sum(),
            logits.invalid.sum() + error.sum(),
        )

    def gradients(self, x: Tensor, target: Tensor, upstream: Tensor) -> Tensor:
        """Those by the logits, times the rows' upstream gradients."""
        _, elements, z, _ = self._started(x, target)
        reciprocal = self.residual.probability.reciprocal
        exponent = row_exponent(elements, self.exp, reciprocal, self.config)
        codes = self.residual(elements, z, exponent)
        without = ~z.any(dim=-1, keepdim=True) | ~elements.active
        if self.config.clip_gradient == "zero":
            without = without | elements.clipped
        places = self.config.loss_grad.f + exponent
        gradient = values(codes.masked_fill(without, 0), places, torch.float64)
        return (gradient * upstream[:, None]).to(x.dtype)

    def _started(self, x: Tensor, target: Tensor) -> tuple[Logits, Elements, Tensor, Tensor]:
        """Rows after exp, weights of their classes, and whose target has a masked class."""
        logits = Logits.of(x, self.config.input)
        z = _weights(target, x)
        error = ((z != 0) & ~logits.active).any(dim=-1)
        z = z.masked_fill(error[:, None], 0)
        return logits, exponentials(logits, self.exp, self.config), z, error


@lru_cache(maxsize=64)
def loss_unit(config: SoftmaxConfig, device: torch.device) -> LossUnit:
    """The unit of a configuration, its tables on a device.

    Raises:
        ConfigError: as :func:`.loss_stage` does.
    """
    loss, residual = Loss.of(config, device), Residual.of(config, device)
    return LossUnit(config, Exp.of(config, device), loss, residual)


def _weights(target: Tensor, x: Tensor) -> Tensor:
    """Weights of the classes: those given, or 1 for the class given, if it is in the row."""
    if target.ndim == x.ndim:
        return target
    of_class = torch.arange(x.shape[-1], device=x.device) == target[:, None]
    return of_class.to(torch.int64) << WEIGHT_FRACTION


def _zeros(x: Tensor) -> Tensor:
    """int64, (rows, 1)."""
    return torch.zeros(len(x), 1, dtype=torch.int64, device=x.device)
