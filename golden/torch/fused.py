"""Attention as one operator of torch, which stores neither scores nor p, and when it is taken."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.library import custom_op

from .batching import rowwise
from .engines.registry import engine_for, unfused_by, warn_unfused
from .engines.triton_attention import DTYPES, MOST_WIDTH, Problem, lacking_gradient, planes_of
from .engines.triton_attention import attention as computed
from .engines.triton_attention import attention_backward as computed_backward
from .ops import CALLS, GATED, NO_GRADIENT, refuse_twice
from .options import Options
from .unit import config_of


@custom_op("softmaxfx::attention", mutates_args=())
def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    seed: Tensor | None,
    is_causal: bool,
    scale: float,
    lowest: float | None,
    config: str,
    gradient: str,
    grad_exponent: int | None,
    check: bool,
) -> tuple[Tensor, Tensor]:
    """(result, facts of rows) as :func:`.triton_attention.attention` gives them.

    Args:
        query, key, value, mask: see :class:`.triton_attention.Problem`; last axes dense.
        lowest: scores at or below it take no part; None: only those of -inf.
        seed, config, gradient, grad_exponent, check: see :func:`.ops.softmax`.

    Raises:
        ValueError: scores that are NaN or +inf.
    """
    CALLS["attention"] += 1
    problem = Problem(query, key, value, mask, is_causal, scale, lowest)
    keep = gradient != NO_GRADIENT
    result, facts, invalid = computed(problem, config_of(config), keep=keep, check=check)
    if check and (count := int(invalid)):
        raise ValueError(
            f"x must be numbers, or -inf where an element takes no part, not NaN or +inf as "
            f"{count} of {result[..., 0].numel() * key.shape[2]} elements are"
        )
    return result, facts


@attention.register_fake
def _attention_fake(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    seed: Tensor | None,
    is_causal: bool,
    scale: float,
    lowest: float | None,
    config: str,
    gradient: str,
    grad_exponent: int | None,
    check: bool,
) -> tuple[Tensor, Tensor]:
    batch, heads, rows, _ = query.shape
    planes = planes_of(config_of(config)) if gradient != NO_GRADIENT else 0
    return (
        query.new_empty((batch, heads, rows, value.shape[3])),
        query.new_empty((batch, heads, planes, rows), dtype=torch.int32),
    )


@custom_op("softmaxfx::attention_backward", mutates_args=())
def attention_backward(
    upstream: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    facts: Tensor,
    seed: Tensor | None,
    is_causal: bool,
    scale: float,
    lowest: float | None,
    config: str,
    grad_exponent: int | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients by query, key and value."""
    CALLS["attention_backward"] += 1
    return computed_backward(
        Problem(query, key, value, mask, is_causal, scale, lowest),
        upstream.contiguous(),
        facts.contiguous(),
        config_of(config),
        grad_exponent=grad_exponent,
        seed=0 if seed is None else int(seed),
    )


@attention_backward.register_fake
def _attention_backward_fake(
    upstream: Tensor, query: Tensor, key: Tensor, value: Tensor, *_: Any
) -> tuple[Tensor, ...]:
    return tuple(each.new_empty(each.shape) for each in (query, key, value))


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    query, key, value, mask, seed, *ctx.how, ctx.config, _, ctx.grad_exponent, _ = inputs
    ctx.save_for_backward(query, key, value, mask, output[1], seed)


def _backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    gradients = attention_backward(
        upstream, *ctx.saved_tensors, *ctx.how, ctx.config, ctx.grad_exponent
    )
    return *gradients, *(None,) * 9


attention.register_autograd(_backward, setup_context=_save)
attention_backward.register_autograd(refuse_twice)
for _op in (attention, attention_backward):
    _op.register_vmap(rowwise(_op))


def fused(
    unit: Options,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    is_causal: bool,
    scale: float,
) -> Tensor:
    """Attention by :func:`attention`, of tensors of which :func:`may_fuse` is true."""
    gradient = GATED if _needs_gradient(query, key, value) else NO_GRADIENT
    seen = None if mask is None else mask.expand(*query.shape[:-1], key.shape[-2])
    result, _ = attention(
        *(_of_heads(each) for each in (query, key, value)),
        None if seen is None else _flat(seen),
        unit.seed_of(gradient),
        is_causal,
        scale,
        unit.mask_value,
        unit.config,
        gradient,
        unit.grad_exponent,
        unit.check,
    )
    return result.view(*query.shape[:-1], value.shape[-1])


def may_fuse(
    unit: Options,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    dropout_p: float,
    enable_gqa: bool,
) -> bool:
    """Whether attention is computed by one kernel; warns once where an engine that has one
    cannot."""
    needs = _needs_gradient(query, key, value)
    reason = _unfused(unit.config, query.device.type, unit.engine, needs)
    if reason is None or not min(query.numel(), key.numel(), value.numel()):
        return False
    if key.shape[-2] > _longest(unit.config):
        return False  # which the other way refuses
    reason = (
        reason
        or _of_call(unit, dropout_p, mask, needs)
        or _of_shapes(query, key, value, mask, enable_gqa)
    )
    if reason:
        _say(reason)
    return not reason


def _of_call(unit: Options, dropout_p: float, mask: Tensor | None, needs: bool) -> str:
    if dropout_p:
        return "dropout is of p, which it does not store"
    if unit.straight_through and needs:
        return "its gradient is the unit's, not straight_through's"
    if mask is not None and mask.requires_grad and torch.is_grad_enabled():
        return "it has no gradient by the mask"
    return ""


def _of_shapes(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, enable_gqa: bool
) -> str:
    if query.dtype not in DTYPES:
        return f"it takes no {query.dtype}"
    if max(query.shape[-1], value.shape[-1]) > MOST_WIDTH:
        return f"its heads are at most {MOST_WIDTH} wide"
    if key.shape[:-1] != value.shape[:-1] or key.shape[-1] != query.shape[-1]:
        return "key and value differ in more than their width"
    if query.ndim != key.ndim or not _leading_agree(query, key, enable_gqa):
        return "it does not repeat key and value along batches"
    if mask is not None and mask.ndim > query.ndim:
        return "its mask has no more dimensions than query"
    return ""


def _leading_agree(query: Tensor, key: Tensor, enable_gqa: bool) -> bool:
    """All axes before those of the matrices are the same, or heads serve whole groups."""
    if not enable_gqa:
        return query.shape[:-2] == key.shape[:-2]
    if query.ndim < 3 or query.shape[-3] % key.shape[-3]:
        return False
    return query.shape[:-3] == key.shape[:-3]


def _needs_gradient(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(each.requires_grad for each in tensors)


@torch.compiler.assume_constant_result  # a compiler takes the answer, not how it is made
def _unfused(config: str, device: str, engine: str, needs_gradient: bool) -> str | None:
    return _reason(config, device, engine, needs_gradient)


@torch.compiler.assume_constant_result
def _longest(config: str) -> int:
    return config_of(config).max_length


@torch.compiler.assume_constant_result
def _say(reason: str) -> None:
    _said(reason)


@lru_cache(maxsize=256)
def _reason(config: str, device: str, engine: str, needs_gradient: bool) -> str | None:
    """Why the engine does not compute attention in one kernel; None where it has none."""
    unit = config_of(config)
    reason = unfused_by(engine_for(unit, torch.device(device), engine).name, unit)
    if reason == "" and needs_gradient:
        return lacking_gradient(unit)
    return reason


@lru_cache(maxsize=64)
def _said(reason: str) -> None:
    warn_unfused(reason)


def _flat(x: Tensor) -> Tensor:
    """(batch, heads, rows, columns) of a tensor of any dimensions."""
    heads = x.shape[-3] if x.ndim > 2 else 1
    return x.reshape(-1, heads, *x.shape[-2:])


def _of_heads(x: Tensor) -> Tensor:
    """The same with a dense last axis."""
    flat = _flat(x)
    return flat if flat.stride(-1) == 1 else flat.contiguous()
