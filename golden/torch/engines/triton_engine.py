"""The engine in Triton's kernels, for CUDA devices; Triton is imported when it computes."""

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...stages.loss import loss_stage
from ...stages.normalize import Normalize
from ...stages.residual import residual_stage
from .engine import Forward, Losses, TwoPasses, carrier
from .kernels.constants import Backward, Exponentials, Logarithm, Product, Tables

Kernel = Any
"""What Triton makes of a function; it has no type where Triton is not installed."""
TILE = 1024
"""Elements that a program takes at once, of one row or of several."""
LEAST_BLOCK = 8
"""Elements of a row that a program takes at least: those of a byte of flags."""


@dataclass(frozen=True, slots=True)
class TritonEngine(TwoPasses):
    """Kernels that keep a row's elements on the chip, see :class:`.Engine`."""

    name: str = "triton"

    def absence(self, config: SoftmaxConfig, device: torch.device) -> str:
        if find_spec("triton") is None:
            return "triton is not installed"
        if device.type != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
            return f"Triton computes on CUDA devices, not on {device}"
        return ""

    def softmax(self, x: Tensor, config: SoftmaxConfig, *, keep_gate: bool) -> Forward:
        from .kernels.softmax import softmax_kernel

        unit = _forward_unit(config, x.device)
        rows, n = x.shape
        gate = x.new_empty((rows, -(-n // 8) * keep_gate), dtype=torch.uint8)
        exponent = x.new_empty(rows * config.has_exponent, dtype=torch.int32)
        result, (clipped, invalid) = x.new_empty(x.shape, dtype=carrier(config.output)), _counts(x)
        given = x, result, gate, exponent, clipped, invalid, unit.tables, rows, n, gate.shape[1]
        _launch(
            softmax_kernel, x, *given,
            spec=unit.exp, last=unit.last, is_log=isinstance(unit.last, Logarithm),
            lowest=config.output.min_code, keep_gate=keep_gate,
        )  # fmt: skip
        return Forward(result, gate, exponent, clipped.sum(), invalid.sum())

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
        constants = Backward.of(config)
        from .kernels.softmax_backward import backward_kernel

        ds = torch.empty_like(p)
        given = p, dp, gate, exponent, ds, *p.shape, gate.shape[1]
        _launch(
            backward_kernel, p, *given, grad_exponent or 0, seed, first_row,
            spec=constants, own_scale=grad_exponent is None, has_gate=gate.shape[1] > 0,
        )  # fmt: skip
        return ds

    def cross_entropy(self, x: Tensor, target: Tensor, config: SoftmaxConfig) -> Losses:
        unit = _loss_unit(config, x.device)
        from .kernels.cross_entropy import loss_kernel

        loss = x.new_empty(len(x), dtype=carrier(config.loss))
        clipped, invalid = _counts(x)
        _launch(
            loss_kernel, x, x, target, loss, clipped, invalid, unit.tables, *x.shape,
            spec=unit.exp, log=unit.log, highest=config.loss.max_code, dense=target.ndim == 2,
        )  # fmt: skip
        return Losses(loss, clipped.sum(), invalid.sum())

    def cross_entropy_backward(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> Tensor:
        unit = _loss_unit(config, x.device)
        from .kernels.cross_entropy import loss_gradient_kernel

        gradient, fmt = torch.empty_like(x), config.loss_grad
        _launch(
            loss_gradient_kernel, x, x, target, upstream, gradient, unit.tables, *x.shape,
            spec=unit.exp, product=unit.product, log=unit.log,
            lowest=fmt.min_code, highest=fmt.max_code,
            stops=config.clip_gradient == "zero", dense=target.ndim == 2,
        )  # fmt: skip
        return gradient


@dataclass(frozen=True, eq=False, slots=True)
class _ForwardUnit:
    """What the softmax kernel knows of a configuration, and its tables on a device."""

    tables: Tensor
    exp: Exponentials
    last: Product | Logarithm


@lru_cache(maxsize=64)
def _forward_unit(config: SoftmaxConfig, device: torch.device) -> _ForwardUnit:
    tables = Tables()
    exp = Exponentials.of(config, tables)
    if config.function == "log_softmax":
        last = Logarithm.of(config, config.output, tables)
    else:
        last = Product.of(config, Normalize.of(config), tables)
    return _ForwardUnit(torch.from_numpy(tables.contents).to(device), exp, last)


@dataclass(frozen=True, eq=False, slots=True)
class _LossUnit:
    """The same of the kernels of the cross-entropy."""

    tables: Tensor
    exp: Exponentials
    log: Logarithm
    product: Product


@lru_cache(maxsize=64)
def _loss_unit(config: SoftmaxConfig, device: torch.device) -> _LossUnit:
    tables, fmt = Tables(), loss_stage(config).output
    exp = Exponentials.of(config, tables)
    log = Logarithm.of(config, fmt, tables)
    product = Product.of(config, residual_stage(config).normalize, tables)
    return _LossUnit(torch.from_numpy(tables.contents).to(device), exp, log, product)


def _counts(x: Tensor) -> tuple[Tensor, Tensor]:
    """Room for two counts a row."""
    clipped, invalid = torch.empty((2, len(x)), dtype=torch.int64, device=x.device)
    return clipped, invalid


def _launch(kernel: Kernel, like: Tensor, *given: object, **constants: object) -> None:
    """Run a kernel on rows of elements, as many as fit in a program."""
    rows, n = like.shape
    block = min(max(1 << (n - 1).bit_length(), LEAST_BLOCK), TILE)
    in_program = TILE // block
    if rows:
        with torch.cuda.device_of(like):
            kernel[(-(-rows // in_program),)](*given, **constants, height=in_program, width=block)
