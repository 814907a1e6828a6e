"""The engine in torch's own operations, on every device that has 64-bit integers and floats."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from .engine import Forward, Losses, TwoPasses
from .torch_units import BackwardUnit, loss_unit, softmax_unit

BLOCK = 1 << 16
"""Elements computed at once on a CPU: few enough that intermediate results stay in the cache."""
DEVICE_BLOCK = 1 << 22
"""The same on other devices: enough to keep them busy."""

Parts = TypeVar("Parts", Forward, Losses)


@dataclass(frozen=True, slots=True)
class TorchEngine(TwoPasses):
    """The stages of :mod:`.stages`, see :class:`.Engine`; some rows at a time."""

    name: str = "torch"

    def absence(self, config: SoftmaxConfig, device: torch.device) -> str:
        return "torch has no float64 on mps" if device.type == "mps" else ""

    def softmax(self, x: Tensor, config: SoftmaxConfig, *, keep_gate: bool) -> Forward:
        unit = softmax_unit(config, x.device)
        return _joined([unit(x[rows], keep_gate=keep_gate) for rows in _blocks(x)])

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
        unit = BackwardUnit.of(config, grad_exponent, seed)
        parts = [
            unit(p[rows], dp[rows], gate[rows], exponent[rows], first_row + rows.start)
            for rows in _blocks(p)
        ]
        return torch.cat(parts)

    def cross_entropy(self, x: Tensor, target: Tensor, config: SoftmaxConfig) -> Losses:
        unit = loss_unit(config, x.device)
        return _joined([unit.losses(x[rows], target[rows]) for rows in _blocks(x)])

    def cross_entropy_backward(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> Tensor:
        unit = loss_unit(config, x.device)
        parts = [unit.gradients(x[rows], target[rows], upstream[rows]) for rows in _blocks(x)]
        return torch.cat(parts)


def _blocks(x: Tensor) -> Iterator[slice]:
    """Rows few enough to be computed at once, at least one block."""
    elements = BLOCK if x.device.type == "cpu" else DEVICE_BLOCK
    rows = max(elements // x.shape[-1], 1)
    for start in range(0, max(len(x), 1), rows):
        yield slice(start, start + rows)


def _joined(parts: list[Parts]) -> Parts:
    """Results of blocks as those of all rows: counts add up."""

    def field(name: str) -> Tensor:
        tensors = [getattr(part, name) for part in parts]
        return torch.cat(tensors) if tensors[0].ndim else torch.stack(tensors).sum()

    kind = type(parts[0])
    return kind(**{each.name: field(each.name) for each in dataclasses.fields(kind)})
