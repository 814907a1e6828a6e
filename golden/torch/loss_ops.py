"""torch's operators of the cross-entropy unit; see :mod:`.ops` for rows, ``config`` and ``engine``.

Weights of classes are what the unit takes for every target that is more than a class: class
weights, smoothed labels, probabilities.
"""

from typing import Any

import torch
from torch import Tensor
from torch.library import custom_op

from ..config import SoftmaxConfig
from ..stages.loss import WEIGHT_FRACTION
from .batching import rowwise
from .engines.engine import Losses, carrier
from .engines.registry import engine_for
from .ops import CALLS, check_rows, refuse_twice
from .unit import config_of

MOST_WEIGHT = 1.005
"""The most that weights of a row may add up to: the unit's sums have little more room."""


@custom_op("softmaxfx::cross_entropy", mutates_args=())
def cross_entropy(
    x: Tensor, target: Tensor, config: str, engine: str, check: bool
) -> tuple[Tensor, Tensor]:
    """(loss (rows,), clipped) of rows of logits, as :class:`.engine.Losses` has them.

    Args:
        x: -inf where a class is masked.
        target: int64, (rows,): classes, one outside the row for no loss; or (rows, n): weights of
            the classes, see :func:`class_weights`.
        check: refuse NaN, +inf and masked targets, for which the host waits for the result.

    Raises:
        ConfigError: no engine computes this, or a loss format that the largest loss does not fit.
        ValueError: rows that are too long; NaN or +inf; a target whose class is masked.
    """
    unit = config_of(config)
    check_rows(x, unit)
    CALLS["cross_entropy"] += 1
    if not x.numel():
        return _losses(x, unit.loss)
    losses = engine_for(unit, x.device, engine).cross_entropy(
        x.contiguous(), target.contiguous(), unit
    )
    return _checked(losses, check)


def _checked(losses: Losses, check: bool) -> tuple[Tensor, Tensor]:
    if check and (invalid := int(losses.invalid)):
        raise ValueError(
            f"input must be numbers, or -inf for a masked class that is no target, not otherwise "
            f"as in {invalid} places"
        )
    return losses.loss, losses.clipped


def _losses(x: Tensor, fmt: Any) -> tuple[Tensor, Tensor]:
    return x.new_zeros((x.shape[0],), dtype=carrier(fmt)), x.new_zeros((), dtype=torch.int64)


@cross_entropy.register_fake
def _cross_entropy_fake(
    x: Tensor, target: Tensor, config: str, engine: str, check: bool
) -> tuple[Tensor, Tensor]:
    unit = config_of(config)
    check_rows(x, unit)
    return _losses(x, unit.loss)


@custom_op("softmaxfx::cross_entropy_backward", mutates_args=())
def cross_entropy_backward(
    x: Tensor, target: Tensor, upstream: Tensor, config: str, engine: str
) -> Tensor:
    """The gradient by scale * x, (rows, n), in x's dtype, as
    :meth:`.engine.Engine.cross_entropy_backward` gives it.

    Raises:
        ConfigError: no engine computes this.
    """
    unit = config_of(config)
    CALLS["cross_entropy_backward"] += 1
    if not x.numel():
        return torch.empty_like(x)
    engine_ = engine_for(unit, x.device, engine)
    return engine_.cross_entropy_backward(
        x.contiguous(), target.contiguous(), upstream.contiguous(), unit
    )


cross_entropy_backward.register_fake(
    lambda x, *_: torch.empty_like(x, memory_format=torch.contiguous_format)
)
cross_entropy_backward.register_autograd(refuse_twice)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, target, ctx.config, ctx.engine, _ = inputs
    ctx.save_for_backward(x, target)


def _backward(ctx: Any, upstream: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    x, target = ctx.saved_tensors
    gradient = cross_entropy_backward(x, target, upstream.to(x.dtype), ctx.config, ctx.engine)
    return _scaled(gradient, ctx.config), None, None, None, None


def _scaled(gradient: Tensor, config: str) -> Tensor:
    scale = config_of(config).scale
    return gradient * scale if scale != 1 else gradient


cross_entropy.register_autograd(_backward, setup_context=_save)


@custom_op("softmaxfx::cross_entropy_and_gradient", mutates_args=())
def cross_entropy_and_gradient(
    x: Tensor, target: Tensor, expected: Tensor, config: str, engine: str, check: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """(loss, clipped, gradient): what :func:`cross_entropy` gives, and what its gradient is where
    the rows' upstream gradients turn out to be ``expected``: one pass over the logits makes both.

    Args:
        expected: float64, (rows,); rounded to the losses' dtype and to x's, as those will be.

    Raises:
        ConfigError, ValueError: as :func:`cross_entropy` does.
    """
    unit = config_of(config)
    check_rows(x, unit)
    CALLS["cross_entropy"] += 1
    if not x.numel():
        return *_losses(x, unit.loss), torch.empty_like(x)
    losses, gradient = engine_for(unit, x.device, engine).cross_entropy_and_gradient(
        x.contiguous(), target.contiguous(), _rounded(expected, x, unit), unit
    )
    return *_checked(losses, check), gradient


def _rounded(expected: Tensor, x: Tensor, unit: SoftmaxConfig) -> Tensor:
    """Upstream gradients as they reach the operator."""
    return expected.to(carrier(unit.loss)).to(x.dtype).contiguous()


@cross_entropy_and_gradient.register_fake
def _cross_entropy_and_gradient_fake(
    x: Tensor, target: Tensor, expected: Tensor, config: str, engine: str, check: bool
) -> tuple[Tensor, Tensor, Tensor]:
    unit = config_of(config)
    check_rows(x, unit)
    return *_losses(x, unit.loss), torch.empty_like(x, memory_format=torch.contiguous_format)


@custom_op("softmaxfx::expected_gradient", mutates_args=())
def expected_gradient(
    x: Tensor,
    target: Tensor,
    upstream: Tensor,
    expected: Tensor,
    gradient: Tensor,
    config: str,
    engine: str,
) -> Tensor:
    """:func:`cross_entropy_backward`, of which ``gradient`` is the result for ``expected``."""
    if torch.equal(upstream, _rounded(expected, x, config_of(config))):
        CALLS["cross_entropy_backward"] += 1
        return gradient.clone()
    return cross_entropy_backward(x, target, upstream, config, engine)


expected_gradient.register_fake(
    lambda x, *_: torch.empty_like(x, memory_format=torch.contiguous_format)
)
expected_gradient.register_autograd(refuse_twice)


def _save_gradient(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, target, expected, ctx.config, ctx.engine, _ = inputs
    ctx.kept = True
    ctx.mark_non_differentiable(output[1], output[2])
    ctx.save_for_backward(x, target, expected, output[2])


def _backward_expected(ctx: Any, upstream: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    x, target, expected, gradient = ctx.saved_tensors
    upstream = upstream.to(x.dtype)
    if not _is_eager(upstream):
        found = expected_gradient(x, target, upstream, expected, gradient, ctx.config, ctx.engine)
    elif ctx.kept and torch.equal(upstream, _rounded(expected, x, config_of(ctx.config))):
        CALLS["cross_entropy_backward"] += 1
        found = gradient
        ctx.kept = False  # whoever has it now may change it
    else:
        found = cross_entropy_backward(x, target, upstream, ctx.config, ctx.engine)
    return _scaled(found, ctx.config), None, None, None, None, None


def _is_eager(upstream: Tensor) -> bool:
    """Values are there to be looked at: nothing traces, maps, or takes a gradient's gradient."""
    return (
        type(upstream) is Tensor
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not torch._C._functorch.peek_interpreter_stack()  # pyright: ignore  # no stub has it
    )


cross_entropy_and_gradient.register_autograd(_backward_expected, setup_context=_save_gradient)


@custom_op("softmaxfx::classes", mutates_args=())
def classes(target: Tensor, count: int, ignore_index: int | None, check: bool) -> Tensor:
    """Classes as the unit takes them, int64, (rows,): -1 where ``ignore_index`` stands, if there is
    one, or what is no class.

    Raises:
        ValueError: what is neither, where ``check`` says so.
    """
    outside = (target < 0) | (target >= count)
    ignored = torch.zeros_like(outside) if ignore_index is None else target == ignore_index
    if check:
        _check_classes(target, outside & ~ignored, count, ignore_index)
    return torch.where(ignored | outside, -1, target)


def _check_classes(target: Tensor, outside: Tensor, count: int, ignore_index: int | None) -> None:
    if outside.any():
        row = int(outside.nonzero()[0])
        ignored = "" if ignore_index is None else f" or ignore_index = {ignore_index}"
        raise ValueError(
            f"target must be a class from 0 to {count - 1}{ignored}, not {int(target[row])} (row "
            f"{row})"
        )


@custom_op("softmaxfx::class_weights", mutates_args=())
def class_weights(
    target: Tensor, active: Tensor, weight: Tensor | None, smoothing: float, check: bool
) -> Tensor:
    """Weights z of the classes in units of 2**-WEIGHT_FRACTION, int64, (rows, n), rounded half up.

    Args:
        target: int64, (rows,), as :func:`classes` gives it; or float, (rows, n): probabilities.
        active: bool, (rows, n): the class is not masked.
        weight: (n,), of every class, from 0 to 1; None: 1.
        smoothing: share of the target that is spread evenly over the active classes.
        check: refuse weights that the unit cannot take.

    Raises:
        ValueError: negative weights; probabilities that are negative or of a sum above
            ``MOST_WEIGHT``.
    """
    y = _distribution(target, active)
    if check and target.ndim == 2:
        _check_probabilities(y)
    if check and weight is not None and not bool((weight >= 0).all()):
        raise ValueError(f"weight must hold no negative number, not {float(weight.min()):.4g}")
    share = active.double() / active.sum(dim=-1, keepdim=True).clamp(min=1)
    z = (1 - smoothing) * y + smoothing * share
    if weight is not None:
        z = z * weight.double()
    z = torch.floor(z * 2.0**WEIGHT_FRACTION + 0.5).to(torch.int64)
    return torch.where((target < 0)[:, None], 0, z) if target.ndim == 1 else z


def _distribution(target: Tensor, active: Tensor) -> Tensor:
    if target.ndim == 2:
        return target.double()
    return (torch.arange(active.shape[1], device=target.device) == target[:, None]).double()


def _check_probabilities(y: Tensor) -> None:
    bad = ~((y >= 0).all(dim=-1) & (y.sum(dim=-1) <= MOST_WEIGHT))
    if bad.any():
        row = int(bad.nonzero()[0])
        raise ValueError(
            f"target must be probabilities, not negative and of a sum of at most {MOST_WEIGHT}, "
            f"unlike row {row} with the least {float(y[row].min()):.4g} and the sum "
            f"{float(y[row].sum()):.4g}"
        )


classes.register_fake(lambda target, *_: torch.empty_like(target))
class_weights.register_fake(lambda target, active, *_: torch.empty_like(active, dtype=torch.int64))
for _op in (
    cross_entropy,
    cross_entropy_backward,
    cross_entropy_and_gradient,
    expected_gradient,
):
    _op.register_vmap(rowwise(_op))
