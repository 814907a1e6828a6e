"""torch's scaled_dot_product_attention whose softmax is the fixed-point unit's."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Unpack

import torch
from torch import Tensor
from torch.nn import functional

from ..config import SoftmaxConfig
from .functional import apply, require_real
from .fused import fused, may_fuse
from .options import Choices, Options, options

MASK_VALUE = -1e4
"""Scores at or below it take no part: models mask with finite numbers from there on, which a unit
that clips would take for scores."""


def fixed_scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    config: SoftmaxConfig | str = "base",
    mask_value: float | None = MASK_VALUE,
    **chosen: Unpack[Choices],
) -> Tensor:
    """softmax(query key^T scale + mask) value, as
    ``torch.nn.functional.scaled_dot_product_attention`` has it, with the softmax's bits.

    Scores are float, float32 for halves, as torch's own reference computes them; p is rounded to
    value's dtype, and so is the product with value. A row without an element that takes part gives
    zeros.

    On CUDA, with Triton, one kernel makes them and stores neither scores nor p, forward and
    backward: the same p of the same scores. ``which_engine`` tells; a call that it cannot take,
    as one with dropout, warns once.

    Args:
        query: (..., L, E). key: (..., S, E). value: (..., S, Ev), all of one dtype.
        attn_mask: broadcast to (..., L, S): bool, False leaves an element out; or floats, added.
        dropout_p: probability that an element of p is dropped, whatever the mode.
        is_causal: leave out what lies above the diagonal.
        scale: of the scores; None: 1 / sqrt(E).
        enable_gqa: heads of key and value (axis -3) serve equal groups of query's.
        config: the unit, or a preset's name.
        mask_value: scores at or below it take no part; None: only those of -inf.
        chosen: engine, straight_through, grad_exponent, seed, check, see
            :class:`.options.Options`.

    Returns:
        (..., L, Ev), query's dtype.

    Raises:
        ConfigError: options that break a rule, or that no engine computes.
        ValueError: dtypes, dimensions or arguments that torch's function refuses too; NaN or +inf
            scores.
    """
    unit = options("softmax", config, mask_value=mask_value, **chosen)
    return attention(
        unit, query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa=enable_gqa
    )


def attention(
    unit: Options,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """:func:`fixed_scaled_dot_product_attention` of a unit."""
    query, key, value, attn_mask = _autocast(query, key, value, attn_mask)
    _check(query, key, value, attn_mask, is_causal)
    if may_fuse(unit, query, key, value, attn_mask, dropout_p, enable_gqa):
        return fused(unit, query, key, value, attn_mask, is_causal, _factor(query, scale))
    if enable_gqa:
        key, value = _for_heads(query, key, "key"), _for_heads(query, value, "value")
    with _without_autocast(query):
        scores = _scores(query, key, scale)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=query.device).tril()
        return _weighted(_masked(scores, attn_mask), value, dropout_p, unit)


def score_blocks(
    rows: int,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Iterator[Tensor]:
    """What enters the softmax of :func:`attention`, (..., rows or fewer, S) at once, masked with
    -inf; where ``is_causal``, no wider than what the last of them sees. Arguments that have no part
    in it are left alone."""
    query, key, _, attn_mask = _autocast(query, key, value, attn_mask)
    if enable_gqa:
        key = _for_heads(query, key, "key")
    with _without_autocast(query):
        query, key = _factors(query, key, scale)
        for start in range(0, query.shape[-2], rows):
            end = min(start + rows, query.shape[-2])
            some = query[..., start:end, :]
            if is_causal:
                yield _causal(some @ key[..., :end], start)
            else:
                yield _masked(some @ key, _rows_of_mask(attn_mask, start, end))


def _causal(scores: Tensor, start: int) -> Tensor:
    """Queries from ``start`` on see the keys up to themselves: the last keys need a mask."""
    tile = scores[..., start:]
    above = torch.ones(tile.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    tile.masked_fill_(above, -torch.inf)
    return scores


def _rows_of_mask(mask: Tensor | None, start: int, end: int) -> Tensor | None:
    """The mask of some queries."""
    if mask is None or mask.ndim < 2 or mask.shape[-2] == 1:
        return mask
    return mask[..., start:end, :]


def _weighted(scores: Tensor, value: Tensor, dropout_p: float, unit: Options) -> Tensor:
    p, _ = apply(scores, -1, None, unit)
    p = p.to(value.dtype)
    if dropout_p:
        p = functional.dropout(p, dropout_p)
    return p @ value


def _scores(query: Tensor, key: Tensor, scale: float | None) -> Tensor:
    query, key = _factors(query, key, scale)
    return query @ key


def _factors(query: Tensor, key: Tensor, scale: float | None) -> tuple[Tensor, Tensor]:
    """Both factors times the root of the scale, as in torch, so that halves of them last."""
    if query.itemsize == 2:
        query, key = query.float(), key.float()
    factor = _factor(query, scale)
    root = abs(factor) ** 0.5
    return query * (root if factor > 0 else -root), (key * root).transpose(-2, -1)


def _factor(query: Tensor, scale: float | None) -> float:
    """What scores are multiplied by."""
    return (query.shape[-1] or 1) ** -0.5 if scale is None else scale


def _masked(scores: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return scores
    if mask.dtype == torch.bool:
        return torch.where(mask, scores, -torch.inf)
    return scores + mask.to(scores.dtype)


def _for_heads(query: Tensor, x: Tensor, name: str) -> Tensor:
    """Heads of key or value, each as often as heads of query share it."""
    if x.ndim < 3 or query.ndim < 3 or query.shape[-3] % x.shape[-3]:
        raise ValueError(
            f"enable_gqa needs heads of query that are a multiple of those of {name}, not shapes "
            f"{tuple(query.shape)} and {tuple(x.shape)}"
        )
    return x.repeat_interleave(query.shape[-3] // x.shape[-3], dim=-3)


def _autocast(*tensors: Tensor | None) -> tuple[Any, ...]:
    """What autocast makes of them, as of torch's function: its own dtype, but for float64."""
    first = tensors[0]
    if first is None or not torch.is_autocast_enabled(first.device.type):
        return tensors
    dtype = torch.get_autocast_dtype(first.device.type)
    return tuple(
        each.to(dtype)
        if each is not None and each.is_floating_point() and each.dtype != torch.float64
        else each
        for each in tensors
    )


def _without_autocast(x: Tensor) -> AbstractContextManager[Any]:
    kind = x.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool) -> None:
    require_real("query", query)
    if not query.dtype == key.dtype == value.dtype:
        raise ValueError(
            f"query, key and value must have one dtype, not {query.dtype}, {key.dtype} and "
            f"{value.dtype}"
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ValueError(
            f"query, key and value must have 2 dimensions or more, not {query.ndim}, {key.ndim} "
            f"and {value.ndim}"
        )
    if mask is not None and is_causal:
        raise ValueError("attn_mask must not be given where is_causal is True")
    if mask is not None and mask.dtype not in (torch.bool, torch.float32, query.dtype):
        raise ValueError(
            f"attn_mask must be bool, float32 or of query's {query.dtype}, not {mask.dtype}"
        )
