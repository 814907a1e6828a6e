"""The compiled engine: the kernels of ``native``, on the CPU."""

import ctypes
from enum import IntEnum
from functools import cache

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...errors import ConfigError
from ...stages.loss import loss_stage
from ...units.softmax_backward import backward_stage
from .compiled_library import library
from .compiled_plan import FURTHER, Tally, plan
from .compiled_vector import vector
from .engine import Forward, Losses, carrier


class Isa(IntEnum):
    """Instructions that there are kernels for; AVX-512 counts with byte permutes (VBMI)."""

    portable = 0
    avx2 = 1
    avx512 = 2


@cache
def _why_not() -> str:
    """Why the kernels are not there; empty where they are."""
    try:
        library()
    except (ConfigError, OSError) as error:
        return str(error)
    return ""


class CompiledEngine:
    """See :class:`.engine.Engine`."""

    name = "compiled"

    def __init__(self, isa: Isa | None = None) -> None:
        """Args:
        isa: the instructions to use; the widest that the processor has unless given.
        """
        self.isa = isa

    def absence(self, config: SoftmaxConfig, device: torch.device) -> str:
        """See :meth:`.engine.Engine.absence`."""
        if device.type != "cpu":
            return f"compiled kernels run on the CPU, not on {device}"
        if len(config.widths.exp_split) > 1 + FURTHER:
            return f"compiled kernels have {1 + FURTHER} exp tables at most"
        return _why_not() or self._lacking()

    def _lacking(self) -> str:
        here = Isa(library().softmaxfx_isa())
        if self.isa is not None and self.isa > here:
            return f"this processor has no {self.isa.name}"
        return ""

    def softmax(self, x: Tensor, config: SoftmaxConfig, *, keep_gate: bool) -> Forward:
        """See :meth:`.engine.Engine.softmax`."""
        rows, n = x.shape
        result = torch.empty(x.shape, dtype=carrier(config.output))
        gate = torch.empty((rows, (n + 7) // 8 if keep_gate else 0), dtype=torch.uint8)
        exponent = torch.empty(rows if config.has_exponent else 0, dtype=torch.int32)
        tally = Tally()
        library().softmaxfx_softmax(
            ctypes.byref(plan(config).fields), ctypes.byref(vector(config).fields),
            *_reals(x), *_reals(result), _at(gate), _at(exponent), *self._work(rows, n),
            ctypes.byref(tally),
        )  # fmt: skip
        return Forward(result, gate, exponent, *_counts(tally))

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
        """See :meth:`.engine.Engine.softmax_backward`."""
        backward_stage(config)  # refuses what the unit refuses
        ds = torch.empty_like(p)
        stopping = gate if config.clip_gradient == "zero" else None
        rows, n, *rest = self._work(*p.shape)
        scale = map(ctypes.c_int64, (grad_exponent is None, grad_exponent or 0, seed, first_row))
        library().softmaxfx_softmax_backward(
            ctypes.byref(plan(config).fields), _at(p), *_reals(dp), _at(stopping), _at(exponent),
            _at(ds), rows, n, *scale, *rest,
        )  # fmt: skip
        return ds

    def cross_entropy(self, x: Tensor, target: Tensor, config: SoftmaxConfig) -> Losses:
        """See :meth:`.engine.Engine.cross_entropy`."""
        loss = torch.empty(len(x), dtype=carrier(config.loss))
        tally = self._cross_entropy(x, target, config, loss=loss)
        return Losses(loss, *_counts(tally))

    def cross_entropy_backward(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> Tensor:
        """See :meth:`.engine.Engine.cross_entropy_backward`."""
        gradient = torch.empty_like(x)
        self._cross_entropy(x, target, config, upstream=upstream, gradient=gradient)
        return gradient

    def cross_entropy_and_gradient(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> tuple[Losses, Tensor]:
        """See :meth:`.engine.Engine.cross_entropy_and_gradient`: one pass, but for the integer
        kernel."""
        loss, gradient = torch.empty(len(x), dtype=carrier(config.loss)), torch.empty_like(x)
        tally = self._cross_entropy(x, target, config, loss, upstream, gradient)
        return Losses(loss, *_counts(tally)), gradient

    def _cross_entropy(
        self,
        x: Tensor,
        target: Tensor,
        config: SoftmaxConfig,
        loss: Tensor | None = None,
        upstream: Tensor | None = None,
        gradient: Tensor | None = None,
    ) -> Tally:
        loss_stage(config)  # refuses what the unit refuses
        tally = Tally()
        classes, weights = (target, None) if target.ndim == 1 else (None, target)
        library().softmaxfx_cross_entropy(
            ctypes.byref(plan(config).fields), ctypes.byref(vector(config).fields),
            *_reals(x), _at(classes), _at(weights), *_by_dtype(loss), _at(upstream), _at(gradient),
            *self._work(*x.shape), ctypes.byref(tally),
        )  # fmt: skip
        return tally

    def _work(self, rows: int, n: int) -> tuple[ctypes.c_int64, ...]:
        """Rows, their length, threads, and instructions."""
        isa = library().softmaxfx_isa() if self.isa is None else self.isa
        return tuple(map(ctypes.c_int64, (rows, n, torch.get_num_threads(), isa)))


def _at(tensor: Tensor | None) -> ctypes.c_void_p:
    """Where a tensor's elements lie; null where it has none."""
    assert tensor is None or tensor.is_contiguous(), "rows must lie one behind the other"
    return ctypes.c_void_p(tensor.data_ptr() if tensor is not None and tensor.numel() else None)


def _reals(tensor: Tensor) -> tuple[ctypes.c_void_p, ctypes.c_int64]:
    """Where they lie, and whether they are float64."""
    return _at(tensor), ctypes.c_int64(tensor.dtype == torch.float64)


def _by_dtype(tensor: Tensor | None) -> tuple[ctypes.c_void_p, ctypes.c_void_p]:
    """Where they lie as float32, or as float64."""
    fine = tensor is not None and tensor.dtype == torch.float64
    return _at(None if fine else tensor), _at(tensor if fine else None)


def _counts(tally: Tally) -> tuple[Tensor, Tensor]:
    return torch.tensor(tally.clipped), torch.tensor(tally.invalid)
