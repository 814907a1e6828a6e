"""Attention whose softmax is another function of floats, in the place of torch's."""

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class FloatAttention(TorchFunctionMode):
    """While it is on, ``scaled_dot_product_attention`` takes its probabilities from a function.

    Args:
        probabilities: of scores (..., queries, keys), float32; -inf takes no part.
    """

    def __init__(self, probabilities: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.probabilities = probabilities

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") == "scaled_dot_product_attention":
            return self._attention(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        is_causal: bool = False,
        enable_gqa: bool = False,
    ) -> Tensor:
        if enable_gqa:
            key, value = (
                x.repeat_interleave(query.shape[-3] // x.shape[-3], dim=-3) for x in (key, value)
            )
        return self.probabilities(attention_scores(query, key, is_causal)) @ value


def attention_scores(query: Tensor, key: Tensor, is_causal: bool) -> Tensor:
    """What enters attention's softmax, (..., queries, keys), of as many heads of both: -inf above
    the diagonal where it is causal."""
    scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    if not is_causal:
        return scores
    seen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    return scores.masked_fill(~seen, -torch.inf)
