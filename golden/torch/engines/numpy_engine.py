"""The engine that is the golden model itself, on the CPU."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...formats import Format
from ...stages.loss import WEIGHT_FRACTION
from ...types import Bits, Codes, Reals
from ...units.cross_entropy import WeightedRows, weighted_rows
from ...units.softmax import softmax_rows
from ...units.softmax_backward import backward_rows, backward_stage
from .engine import Forward, Losses, TwoPasses, carrier
from .gradient_scale import gradient_exponents


@dataclass(frozen=True, slots=True)
class NumpyEngine(TwoPasses):
    """The golden units' own functions, see :class:`.Engine`."""

    name: str = "numpy"

    def absence(self, config: SoftmaxConfig, device: torch.device) -> str:
        return "" if device.type == "cpu" else f"NumPy computes on the CPU, not on {device}"

    def softmax(self, x: Tensor, config: SoftmaxConfig, *, keep_gate: bool) -> Forward:
        logits = _Logits.of(x, config.input)
        rows = softmax_rows(logits.codes, config, ~logits.active)
        clipped = rows.clipped | logits.saturated
        exponent = rows.exponent if config.has_exponent else rows.exponent[:0]
        return Forward(
            _values(rows.p, config.output.f + rows.exponent[:, None], carrier(config.output)),
            _packed(clipped if keep_gate else clipped[:, :0]),
            torch.from_numpy(exponent.astype(np.int32)),
            _count(clipped),
            _count(logits.invalid),
        )

    def softmax_backward(
        self,
        p: Tensor,
        dp: Tensor,
        gate: Tensor,
        exponent: Tensor,
        config: SoftmaxConfig,
        *,
        grad_exponent: int | None,
        seed: int = 0,
        first_row: int = 0,
    ) -> Tensor:
        backward_stage(config)  # refuses what has no such gradient
        s = _exponents(exponent, len(p))
        e = _scales(dp, config, grad_exponent)
        reals = _reals(dp)
        lost = ~np.isfinite(reals).all(axis=-1, keepdims=True)
        with np.errstate(over="ignore", under="ignore"):
            scaled = np.ldexp(np.where(lost, 0.0, reals), e)
        ds = backward_rows(
            np.ldexp(_reals(p), config.output.f + s).astype(np.int64),
            config.grad_input.quantize(scaled),
            config,
            _unpacked(gate, p.shape[-1]),
            s[:, 0],
            seed=seed,
            first_row=first_row,
        ).ds
        values = _values(ds, config.grad_output.f + e + s, p.dtype)
        return values.masked_fill(torch.from_numpy(lost), torch.nan)

    def cross_entropy(self, x: Tensor, target: Tensor, config: SoftmaxConfig) -> Losses:
        logits = _Logits.of(x, config.input)
        rows, error = _loss_rows(logits, target, config)
        return Losses(
            _values(rows.loss, config.loss.f, carrier(config.loss)),
            _count(rows.clipped | logits.saturated),
            _count(logits.invalid) + _count(error),
        )

    def cross_entropy_backward(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> Tensor:
        logits = _Logits.of(x, config.input)
        rows, _ = _loss_rows(logits, target, config)
        places = config.loss_grad.f + rows.exponent[:, None]
        gradient = _values(rows.grad, places, torch.float64)
        if config.clip_gradient == "zero":
            gradient = gradient.masked_fill(torch.from_numpy(logits.saturated), 0)
        return (gradient * upstream[:, None]).to(x.dtype)


@dataclass(frozen=True, eq=False, slots=True)
class _Logits:
    """Rows of logits as codes; all (rows, n).

    Attributes:
        codes: 0 where an element is no number or takes no part.
        active: the element takes part.
        saturated: an active element lay beyond the format, rounded half up.
        invalid: NaN or +inf.
    """

    codes: Codes
    active: Bits
    saturated: Bits
    invalid: Bits

    @classmethod
    def of(cls, x: Tensor, fmt: Format) -> "_Logits":
        reals = _reals(x)
        active, invalid = reals != -np.inf, np.isnan(reals) | (reals == np.inf)
        reals = np.where(active & ~invalid, reals, 0.0)
        above = reals >= (fmt.max_code + 0.5) * fmt.lsb
        below = reals < (fmt.min_code - 0.5) * fmt.lsb
        return cls(fmt.quantize(reals), active, above | below, invalid)


def _loss_rows(logits: _Logits, target: Tensor, config: SoftmaxConfig) -> tuple[WeightedRows, Bits]:
    """Losses and gradients, and (rows,) which targets have a class that is masked."""
    z = _weights(target.numpy(), logits.codes.shape)
    error = ((z != 0) & ~logits.active).any(axis=-1)
    z = np.where(error[:, None], 0, z)
    return weighted_rows(logits.codes, logits.active, z, config), error


def _weights(target: Codes, shape: tuple[int, ...]) -> Codes:
    """Weights of the classes: those given, or 1 for the class given, if it is in the row."""
    if target.ndim == len(shape):
        return target
    of_class = np.arange(shape[-1]) == target[:, None]
    return of_class.astype(np.int64) << WEIGHT_FRACTION


def _scales(dp: Tensor, config: SoftmaxConfig, grad_exponent: int | None) -> Codes:
    """The exponent by which every row's dP is multiplied, (rows, 1)."""
    if grad_exponent is None:
        return gradient_exponents(dp, config.grad_input).numpy()
    return np.full((len(dp), 1), grad_exponent, np.int64)


def _exponents(exponent: Tensor, rows: int) -> Codes:
    """The rows' exponents, (rows, 1); 0 where they have none."""
    given = exponent.numpy().astype(np.int64)
    return given[:, None] if len(given) else np.zeros((rows, 1), np.int64)


def _reals(x: Tensor) -> Reals:
    return x.detach().numpy().astype(np.float64)


def _values(codes: Codes, places: Codes | int, dtype: torch.dtype) -> Tensor:
    """codes * 2**-places."""
    return torch.from_numpy(np.ldexp(codes.astype(np.float64), -places)).to(dtype)


def _packed(flags: Bits) -> Tensor:
    return torch.from_numpy(np.packbits(flags, axis=-1, bitorder="little"))


def _unpacked(gate: Tensor, width: int) -> Bits:
    """The gate's first bits, (rows, width); none is set in a gate of no width."""
    if not gate.shape[-1]:  # what NumPy would pad with is not defined
        return np.zeros((len(gate), width), bool)
    bits = np.unpackbits(gate.numpy(), axis=-1, count=width, bitorder="little")
    return bits.astype(bool)


def _count(flags: Bits) -> Tensor:
    return torch.tensor(int(flags.sum()), dtype=torch.int64)
