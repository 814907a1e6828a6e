"""What enters a softmax, from the arguments that torch's function was called with."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from .attention import score_blocks
from .functional import implicit_dim
from .loss_options import class_axis
from .refusals import PROBE

BLOCK = 1 << 18
"""Elements at once: few enough to stay in a cache."""
MOST_HEADS = 512
"""A second axis that is longer is none of heads."""


def logit_blocks(
    name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], heads: int = 1
) -> Iterator[Tensor]:
    """The rows of a call, (heads, rows, n), some at once.

    Rows of attention, and those along the last axis of four, have a head by their second axis.

    Args:
        name: of :data:`.intercept.FAMILY`.
        heads: of the module that calls softmax with its first axis over texts and heads.

    Raises:
        ProbeError: nested tensors, or arguments that torch does not document.
    """
    return _BLOCKS[name](heads, *args, **kwargs)


def _softmax(
    heads: int, input: Tensor, dim: int | None = None, *rest: Any, dtype: Any = None, **more: Any
) -> Iterator[Tensor]:
    PROBE.require_plain(input, more)
    given = [each for each in (*rest, dtype) if isinstance(each, torch.dtype)]
    x = input.detach()
    x = x.to(given[0]) if given else x
    x = x[None] if x.ndim == 0 else x
    dim = implicit_dim(x) if dim is None else dim
    last = dim in (-1, x.ndim - 1)
    rows = x.movedim(dim, -1)
    if rows.ndim == 4 and last and rows.shape[1] <= MOST_HEADS:
        return _by_head(rows)
    if rows.ndim == 3 and heads > 1 and rows.shape[0] % heads == 0:
        return _by_head(rows.unflatten(0, (-1, heads)))
    return _by_head(rows.reshape(1, 1, rows.shape[:-1].numel(), rows.shape[-1]))


def _cross_entropy(heads: int, input: Tensor, *_: Any, **__: Any) -> Iterator[Tensor]:
    PROBE.require_plain(input, {})
    rows = input.detach().movedim(class_axis(input), -1)
    return _by_head(rows.reshape(1, 1, rows.shape[:-1].numel(), rows.shape[-1]))


def _attention(_: int, query: Tensor, *args: Any, **kwargs: Any) -> Iterator[Tensor]:
    PROBE.require_plain(query, {})
    maps = query.shape[:-2].numel()
    width = (args[0] if args else kwargs["key"]).shape[-2]
    rows = max(BLOCK // max(maps * width, 1), 1)
    for scores in score_blocks(rows, query.detach(), *args, **kwargs):
        heads = scores.shape[-3] if scores.ndim >= 4 else 1
        texts = scores.shape[:-3].numel() if scores.ndim >= 4 else scores.shape[:-2].numel()
        yield from _by_head(scores.detach().reshape(texts, heads, *scores.shape[-2:]))


def _by_head(rows: Tensor) -> Iterator[Tensor]:
    """(texts, heads, rows, n) in blocks of (heads, rows, n)."""
    texts, heads, count, n = rows.shape
    step = max(BLOCK // max(texts * heads * n, 1), 1)
    for start in range(0, count, step):
        block = rows[:, :, start : start + step]
        yield block.transpose(0, 1).reshape(heads, texts * block.shape[2], n)


_BLOCKS: dict[str, Callable[..., Iterator[Tensor]]] = {
    "softmax": _softmax,
    "log_softmax": _softmax,
    "cross_entropy": _cross_entropy,
    "attention": _attention,
}
