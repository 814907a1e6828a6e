"""The compiled engine: the kernels of ``native``, on the CPU."""

import ctypes
from functools import cache

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...errors import ConfigError
from .compiled_library import library
from .compiled_plan import FURTHER, Plan, Tally, plan
from .compiled_vector import vector
from .engine import Forward, Losses, carrier


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

    def __init__(self, isa: int | None = None) -> None:
        """Args:
        isa: of the instructions that the kernels know, the widest that they may use; the
            processor's own unless given.
        """
        self.isa = isa

    def absence(self, config: SoftmaxConfig, device: torch.device) -> str:
        """See :meth:`.engine.Engine.absence`."""
        if device.type != "cpu":
            return f"compiled kernels run on the CPU, not on {device}"
        if len(config.widths.exp_split) > 1 + FURTHER:
            return f"compiled kernels have {1 + FURTHER} exp tables at most"
        return _why_not()

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
        ds = torch.empty_like(p)
        whole = ctypes.c_int64
        library().softmaxfx_softmax_backward(
            ctypes.byref(plan(config).fields), _at(p), *_reals(dp), _at(gate), _at(exponent),
            _at(ds), whole(p.shape[0]), whole(p.shape[1]), whole(grad_exponent is None),
            whole(grad_exponent or 0), whole(seed), whole(first_row), *self._work(*p.shape)[2:],
        )  # fmt: skip
        return ds

    def cross_entropy(self, x: Tensor, target: Tensor, config: SoftmaxConfig) -> Losses:
        """See :meth:`.engine.Engine.cross_entropy`."""
        loss = torch.empty(len(x), dtype=x.dtype)
        tally = self._cross_entropy(x, target, config, loss=loss)
        return Losses(loss, *_counts(tally))

    def cross_entropy_backward(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> Tensor:
        """See :meth:`.engine.Engine.cross_entropy_backward`."""
        gradient = torch.empty_like(x)
        self._cross_entropy(x, target, config, upstream=upstream, gradient=gradient)
        return gradient

    def _cross_entropy(
        self,
        x: Tensor,
        target: Tensor,
        config: SoftmaxConfig,
        loss: Tensor | None = None,
        upstream: Tensor | None = None,
        gradient: Tensor | None = None,
    ) -> Tally:
        tally = Tally()
        classes, weights = (target, None) if target.ndim == 1 else (None, target)
        library().softmaxfx_cross_entropy(
            ctypes.byref(plan(config).fields), ctypes.byref(vector(config).fields),
            *_reals(x), _at(classes), _at(weights),
            _at(loss), _at(upstream), _at(gradient), *self._work(*x.shape), ctypes.byref(tally),
        )  # fmt: skip
        return tally

    def _work(self, rows: int, n: int) -> tuple[ctypes.c_int64, ...]:
        """Rows, their length, threads, and instructions."""
        isa = library().softmaxfx_isa()
        isa = isa if self.isa is None else min(isa, self.isa)
        return tuple(map(ctypes.c_int64, (rows, n, torch.get_num_threads(), isa)))


def _at(tensor: Tensor | None) -> ctypes.c_void_p:
    """Where a tensor's elements lie; null where it has none."""
    return ctypes.c_void_p(tensor.data_ptr() if tensor is not None and tensor.numel() else None)


def _reals(tensor: Tensor) -> tuple[ctypes.c_void_p, ctypes.c_int64]:
    """Where they lie, and whether they are float64."""
    return _at(tensor), ctypes.c_int64(tensor.dtype == torch.float64)


def _counts(tally: Tally) -> tuple[Tensor, Tensor]:
    return torch.tensor(tally.clipped), torch.tensor(tally.invalid)
