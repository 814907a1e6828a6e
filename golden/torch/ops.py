"""torch's operators of the softmax unit, in the namespace ``softmaxfx``: compilers and exporters
see one call, autograd its gradient, and every engine computes behind it.

Rows lie along the last axis of (rows, n) tensors of float32 or float64. ``config`` is text of
:func:`.unit.text_of`, ``engine`` an engine's name, or empty for the fastest that can.
"""

from collections import Counter
from typing import Any

import torch
from torch import Tensor
from torch.library import custom_op

from ..config import SoftmaxConfig
from .batching import rowwise
from .engines.engine import carrier
from .engines.registry import engine_for
from .unit import config_of, sibling, text_of

CALLS: Counter[str] = Counter()
"""How often operators computed, by name: what ran in fixed point, whoever called it."""

GATED = "unit"
"""``gradient`` of what the backward unit computes; its gate is kept."""
STRAIGHT_THROUGH = "float"
"""``gradient`` of float softmax at the unit's p: nothing is gated."""
NO_GRADIENT = ""
"""``gradient`` where none is needed."""


def _kept(config: SoftmaxConfig, gradient: str) -> bool:
    return gradient == GATED and config.clip_gradient == "zero"


def check_rows(x: Tensor, config: SoftmaxConfig) -> None:
    """Raise ValueError where rows are longer than the unit's."""
    n = x.shape[-1]
    if isinstance(n, int) and n > config.max_length:
        raise ValueError(
            f"x must have rows of at most max_length = {config.max_length} elements, not {n}"
        )


def refuse_invalid(invalid: int, elements: int) -> None:
    """Raise ValueError where elements are NaN or +inf."""
    if invalid:
        raise ValueError(
            f"x must be numbers, or -inf where an element takes no part, not NaN or +inf as "
            f"{invalid} of {elements} elements are"
        )


@custom_op("softmaxfx::softmax", mutates_args=())
def softmax(
    x: Tensor,
    seed: Tensor | None,
    config: str,
    engine: str,
    gradient: str,
    grad_exponent: int | None,
    check: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(result, gate, exponent, clipped) of rows of logits, as :class:`.engine.Forward` has them:
    p, or log p where the configuration's function is log_softmax.

    Args:
        x: -inf where an element takes no part.
        seed: int64 of no dimension, 32 bits: of the gradient's stochastic rounding; None is 0.
        gradient: ``"unit"`` (without a gate where ``clip_gradient`` is ``"pass"``), ``"float"``, or
            empty where none is needed.
        grad_exponent: see :meth:`.engine.Engine.softmax_backward`.
        check: refuse NaN and +inf, for which the host waits for the result.

    Raises:
        ConfigError: no engine computes this.
        ValueError: rows that are too long; NaN or +inf.
    """
    unit = config_of(config)
    check_rows(x, unit)
    CALLS[unit.function] += 1
    if not x.numel():
        return _outputs(x, unit, gradient)
    rows = engine_for(unit, x.device, engine).softmax(
        x.contiguous(), unit, keep_gate=_kept(unit, gradient)
    )
    if check:
        refuse_invalid(int(rows.invalid), x.numel())
    return rows.result, rows.gate, rows.exponent, rows.clipped


def _outputs(
    x: Tensor, unit: SoftmaxConfig, gradient: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows, n = x.shape
    gate = (n + 7) // 8 if _kept(unit, gradient) else 0
    return (
        x.new_empty((rows, n), dtype=carrier(unit.output)),
        x.new_empty((rows, gate), dtype=torch.uint8),
        x.new_empty((rows if unit.has_exponent else 0,), dtype=torch.int32),
        x.new_zeros((), dtype=torch.int64),
    )


@softmax.register_fake
def _softmax_fake(
    x: Tensor,
    seed: Tensor | None,
    config: str,
    engine: str,
    gradient: str,
    grad_exponent: int | None,
    check: bool,
) -> tuple[Tensor, ...]:
    unit = config_of(config)
    check_rows(x, unit)
    return _outputs(x, unit, gradient)


@custom_op("softmaxfx::softmax_backward", mutates_args=())
def softmax_backward(
    p: Tensor,
    dp: Tensor,
    gate: Tensor,
    exponent: Tensor,
    seed: Tensor | None,
    config: str,
    engine: str,
    grad_exponent: int | None,
) -> Tensor:
    """dS of rows, in p's dtype, as :meth:`.engine.Engine.softmax_backward` gives it: the gradient
    by scale * x.

    Raises:
        ConfigError: no engine computes this, or formats of which no backward unit is made.
    """
    unit = config_of(config)
    CALLS["softmax_backward"] += 1
    if not p.numel():
        return p.new_empty(p.shape)
    return engine_for(unit, p.device, engine).softmax_backward(
        p.contiguous(),
        dp.contiguous(),
        gate.contiguous(),
        exponent.contiguous(),
        unit,
        grad_exponent=grad_exponent,
        seed=0 if seed is None else int(seed),
    )


@custom_op("softmaxfx::straight_through_backward", mutates_args=())
def straight_through_backward(p: Tensor, dp: Tensor) -> Tensor:
    """p (dp - sum p dp) in float: the gradient of float softmax at the unit's p."""
    return p * (dp - (p * dp).sum(dim=-1, keepdim=True))


@custom_op("softmaxfx::log_softmax_backward", mutates_args=())
def log_softmax_backward(p: Tensor, g: Tensor, gate: Tensor, active: Tensor) -> Tensor:
    """g - p sum g in float, 0 where an element was clipped or takes no part.

    Args:
        p, g: (rows, n). gate: of the forward pass; of (rows, 0) it stops nothing.
        active: bool, (rows, n).
    """
    gradient = g - p * (g * active).sum(dim=-1, keepdim=True)
    if gate.shape[-1]:
        active = active & ~unpacked(gate, p.shape[-1])
    return torch.where(active, gradient, 0)


def unpacked(gate: Tensor, n: int) -> Tensor:
    """A gate's first n bits, bool, (rows, n)."""
    places = torch.arange(8, dtype=torch.uint8, device=gate.device)
    return ((gate[..., None] >> places) & 1).flatten(-2)[..., :n].bool()


for _op in (softmax_backward, straight_through_backward, log_softmax_backward):
    _op.register_fake(lambda p, *_: torch.empty_like(p, memory_format=torch.contiguous_format))


def refuse_twice(ctx: object, *_: Tensor) -> None:
    """The gradient of a gradient, which no unit computes."""
    raise RuntimeError(
        "gradients must be taken once: the fixed-point gradient has no gradient of its own"
    )


for _op in (softmax_backward, straight_through_backward, log_softmax_backward):
    _op.register_autograd(refuse_twice)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, seed, ctx.config, ctx.engine, ctx.gradient, ctx.grad_exponent, _ = inputs
    result, gate, exponent, _ = output
    ctx.dtype, ctx.unit = x.dtype, config_of(ctx.config)
    ctx.log = ctx.unit.function == "log_softmax"
    ctx.save_for_backward(x if ctx.log else result, gate, exponent, seed)


def _backward(ctx: Any, upstream: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
    gradient = (_log_gradient if ctx.log else _gradient)(ctx, upstream, *ctx.saved_tensors)
    if ctx.unit.scale != 1:
        gradient = gradient * ctx.unit.scale
    return gradient.to(ctx.dtype), *(None,) * 6


def _gradient(
    ctx: Any, dp: Tensor, p: Tensor, gate: Tensor, exponent: Tensor, seed: Tensor | None
) -> Tensor:
    if ctx.gradient == STRAIGHT_THROUGH:
        return straight_through_backward(p, dp)
    return softmax_backward(p, dp, gate, exponent, seed, ctx.config, ctx.engine, ctx.grad_exponent)


def _log_gradient(
    ctx: Any, g: Tensor, x: Tensor, gate: Tensor, exponent: Tensor, seed: Tensor | None
) -> Tensor:
    of_p = text_of(sibling(ctx.unit))
    p = softmax(x, None, of_p, ctx.engine, NO_GRADIENT, None, False)[0]
    return log_softmax_backward(p, g, gate, x != -torch.inf)


softmax.register_autograd(_backward, setup_context=_save)
for _op in (softmax, softmax_backward, straight_through_backward, log_softmax_backward):
    _op.register_vmap(rowwise(_op))
