"""What an engine is: it takes rows of real logits, and gives the bits that the hardware gives.

Engines differ in speed alone. Rows lie along the last axis of contiguous 2-D tensors of float32 or
float64, which are quantised exactly, half up, to codes of ``config.input``; results are the exact
values of codes, float32 where a float32 holds every code of their format, else float64.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ...config import SoftmaxConfig
from ...formats import Format

FLOAT32_BITS = 24
"""Widest code that every float32 holds, without its sign."""


@dataclass(frozen=True, eq=False, slots=True)
class Forward:
    """What softmax (or log_softmax, as ``config.function`` says) gives of rows.

    Attributes:
        result: (rows, n): p, or its logarithm. An element that takes no part has p = 0, or the
            lowest logarithm that the output format holds. Where rows have an exponent s, p is the
            code's value times 2**-s.
        gate: uint8, (rows, ceil(n / 8)): bit j % 8 of byte j // 8 is 1 where element j was clipped,
            as :class:`~softmaxfx.golden.units.softmax.SoftmaxRows` tells, or saturated to the input
            format; (rows, 0) where it was not asked for.
        exponent: int32, (rows,): the rows' exponents; (0,) where they have none.
        clipped, invalid: int64, of no dimension: elements clipped, and elements that are NaN or
            +inf, whose rows then hold anything.
    """

    result: Tensor
    gate: Tensor
    exponent: Tensor
    clipped: Tensor
    invalid: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Losses:
    """What cross_entropy gives of rows.

    Attributes:
        loss: (rows,); 0 where the target is outside the row.
        clipped, invalid: as those of :class:`Forward`; a target with a class that is masked (-inf)
            counts as one more that is invalid; its row's loss and gradient are 0.
    """

    loss: Tensor
    clipped: Tensor
    invalid: Tensor


class Engine(Protocol):
    """A way to compute the units.

    ``x`` is float32 or float64, -inf an element that takes no part. A row without an element that
    takes part gives p = 0 everywhere. The caller has checked shapes, lengths (``max_length``),
    dtypes and targets' dtypes; it raises where ``invalid`` is not 0.
    """

    @property
    def name(self) -> str:
        """By which it is asked for."""
        ...

    def absence(self, config: SoftmaxConfig, device: torch.device) -> str:
        """Why it cannot compute a configuration on a device, a sentence; empty where it can."""
        ...

    def softmax(self, x: Tensor, config: SoftmaxConfig, *, keep_gate: bool) -> Forward:
        """p of rows of logits, or log p."""
        ...

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
        """dS of rows, in p's dtype.

        Args:
            p, gate, exponent: what :meth:`softmax` gave of the rows; a gate of (rows, 0) stops no
                gradient.
            dp: (rows, n), p's dtype: gradients of the loss by p.
            grad_exponent: dP is multiplied by 2**grad_exponent, exactly, before it is quantised to
                ``config.grad_input``, and dS divided by it; from -126 to 126. ``None``: by 2**e of
                each row, see :func:`.gradient_exponents`. Rows with a dP that is not finite are NaN
                throughout.
            seed, first_row: of stochastic rounding, 32 bits each.
        """
        ...

    def cross_entropy(self, x: Tensor, target: Tensor, config: SoftmaxConfig) -> Losses:
        """Losses of rows of logits.

        Args:
            target: int64, (rows,): classes, where one outside the row means no loss; or weights z
                of all classes, int64, (rows, n), in units of 2**-WEIGHT_FRACTION.
        """
        ...

    def cross_entropy_backward(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> Tensor:
        """Gradients by the logits, (rows, n), in x's dtype: the unit's gradient (p - y), a code of
        ``config.loss_grad``, as a value; times the row's upstream gradient in float64, then in x's
        dtype. That rounds once, but for float32 and codes of more than 29 bits. Where an element
        was clipped, as the gate of :class:`Forward` tells, it is 0 unless ``config.clip_gradient``
        is ``"pass"``.

        Args:
            upstream: (rows,), x's dtype: gradients of what is minimised by the losses.
        """
        ...

    def cross_entropy_and_gradient(
        self, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> tuple[Losses, Tensor]:
        """What :meth:`cross_entropy` and :meth:`cross_entropy_backward` give, in one pass over the
        logits where the engine has one."""
        ...


class TwoPasses:
    """An engine that computes losses and gradients one after the other."""

    def cross_entropy_and_gradient(
        self: Engine, x: Tensor, target: Tensor, upstream: Tensor, config: SoftmaxConfig
    ) -> tuple[Losses, Tensor]:
        """See :meth:`Engine.cross_entropy_and_gradient`."""
        gradient = self.cross_entropy_backward(x, target, upstream, config)
        return self.cross_entropy(x, target, config), gradient


def carrier(fmt: Format) -> torch.dtype:
    """The dtype that holds every code of a format as an exact value."""
    return torch.float32 if fmt.width - fmt.signed <= FLOAT32_BITS else torch.float64
