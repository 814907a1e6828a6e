"""The engine in Triton's kernels, for CUDA devices; Triton is imported when it computes."""

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...formats import Format
from ...stages.loss import loss_stage
from ...stages.normalize import Normalize
from ...stages.residual import residual_stage
from . import triton_launch
from .engine import FLOAT32_BITS, Forward, Losses, TwoPasses, carrier
from .kernels.constants import Backward, Exponentials, Logarithm, Product, Tables
from .triton_launch import Kernel, Launch

TILE = 1024
"""Elements of several rows that a program takes at once."""
MOST_BLOCK, LONG_BLOCK = 16384, 4096
"""Elements of a row that a program takes at once, at most; of a longer one, or one whose sum is in
a window, which takes more registers, it takes fewer."""
LEAST_BLOCK = 8
"""Elements of a row that a program takes at least: those of a byte of flags."""
IN_THREAD = 16
"""Elements that a thread has."""


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

        unit = forward_unit(config, x.device)
        rows, n = x.shape
        gate = x.new_empty((rows, -(-n // 8) * keep_gate), dtype=torch.uint8)
        exponent = x.new_empty(rows * config.has_exponent, dtype=torch.int32)
        result, counts = x.new_empty(x.shape, dtype=carrier(config.output)), _counts(x)
        given = x, result, gate, exponent, counts, unit.tables, rows, n, gate.shape[1]
        _launch(
            softmax_kernel, x, *given,
            spec=unit.exp, last=unit.last, is_log=isinstance(unit.last, Logarithm),
            lowest=config.output.min_code, exponent=config.has_exponent, keep_gate=keep_gate,
        )  # fmt: skip
        return Forward(result, gate, exponent, *counts)

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
        constants = backward_constants(config)
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

        loss, counts = x.new_empty(len(x), dtype=carrier(config.loss)), _counts(x)
        _launch(
            loss_kernel, x, x, target, loss, counts, unit.tables, *x.shape,
            spec=unit.exp, log=unit.log, highest=config.loss.max_code, dense=target.ndim == 2,
        )  # fmt: skip
        return Losses(loss, *counts)

    def cross_entropy_backward(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> Tensor:
        unit = _loss_unit(config, x.device)
        from .kernels.cross_entropy import loss_gradient_kernel

        gradient, fmt = torch.empty_like(x), config.loss_grad
        _launch(
            loss_gradient_kernel, x, x, target, upstream, gradient, unit.tables, *x.shape,
            spec=unit.exp, last=unit.product, log=unit.log,
            lowest=fmt.min_code, highest=fmt.max_code, bits=fmt.width,
            like=_dtype_of_products(fmt, x), stops=config.clip_gradient == "zero",
            dense=target.ndim == 2,
        )  # fmt: skip
        return gradient


@dataclass(frozen=True, eq=False, slots=True)
class _ForwardUnit:
    """What the softmax kernel knows of a configuration, and its tables on a device."""

    tables: Tensor
    exp: Exponentials
    last: Product | Logarithm


@lru_cache(maxsize=64)
def forward_unit(config: SoftmaxConfig, device: torch.device) -> _ForwardUnit:
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


@lru_cache(maxsize=64)
def backward_constants(config: SoftmaxConfig) -> Backward:
    return Backward.of(config)


def _dtype_of_products(fmt: Format, x: Tensor) -> object:
    """Triton's dtype in which a gradient's code times an upstream gradient rounds once, to x's."""
    import triton.language as tl

    exact = x.dtype == torch.float32 and fmt.width - 1 <= FLOAT32_BITS
    return tl.float32 if exact else tl.float64


def _counts(x: Tensor) -> Tensor:
    """Counts of all rows: clipped, invalid."""
    return torch.zeros(2, dtype=torch.int64, device=x.device)


def _launch(kernel: Kernel, shaped: Tensor, *given: object, **constants: object) -> None:
    """Run a kernel on rows of elements, as many as fit in a program."""
    rows, n = shaped.shape
    block = max(1 << (n - 1).bit_length(), LEAST_BLOCK)
    spec = constants["spec"]
    windowed = isinstance(spec, Exponentials) and spec.window
    whole = block <= (LONG_BLOCK if windowed else MOST_BLOCK)
    width = block if whole else LONG_BLOCK
    height = max(TILE // width, 1)
    warps = max(height * width // IN_THREAD // 32, 1)
    blocks = {"whole": whole, "height": height, "width": width}
    triton_launch.run(
        Launch(kernel, (-(-rows // height),), given, constants | blocks, {"num_warps": warps})
    )
