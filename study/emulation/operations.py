"""What is timed and what is checked: torch's float functions, and ours, on the same tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...golden.torch import (
    fixed_cross_entropy,
    fixed_scaled_dot_product_attention,
    fixed_softmax,
)
from .cases import ATTENTION, BACKWARD, BOTH, FORWARD, LOSS, Case, Shape

Function = Callable[..., Tensor]
Work = Callable[[], Any]
"""Makes new tensors each time."""


@dataclass(frozen=True, eq=False, slots=True)
class Inputs:
    """What functions get.

    Attributes:
        given: the tensors that they take: logits; or query, key and value.
        upstream: gradients of a loss by softmax's result, its shape; None elsewhere.
        target: classes, (rows,); None elsewhere.
    """

    given: tuple[Tensor, ...]
    upstream: Tensor | None = None
    target: Tensor | None = None


def draw(operation: str, shape: Shape, device: str, seed: int = 1) -> Inputs:
    """Inputs of an operation, drawn on the device; the last ones are kept, as several operations
    in a row take them."""
    return _drawn(operation if operation in (LOSS, ATTENTION) else BOTH, shape, device, seed)


@lru_cache(maxsize=1)
def _drawn(operation: str, shape: Shape, device: str, seed: int) -> Inputs:
    generator = torch.Generator(device).manual_seed(seed)
    normal = partial(torch.randn, shape.size, generator=generator, device=device)
    if operation == ATTENTION:
        return Inputs(tuple(normal().bfloat16() for _ in range(3)))
    x = normal() * 2
    if operation == LOSS:
        rows, n = shape.size
        target = torch.randint(n, (rows,), generator=generator, device=device)
        return Inputs((x,), target=target)
    return Inputs((_causal(x) if shape.causal else x,), upstream=normal())


def _causal(x: Tensor) -> Tensor:
    rows, n = x.shape
    last = torch.arange(rows, device=x.device)[:, None] % n
    return x.masked_fill_(torch.arange(n, device=x.device) > last, -torch.inf)


def float_function(case: Case, inputs: Inputs) -> Function:
    """torch's own."""
    if case.operation == ATTENTION:
        return partial(functional.scaled_dot_product_attention, is_causal=True)
    if inputs.target is not None:
        return partial(functional.cross_entropy, target=inputs.target)
    return partial(torch.softmax, dim=-1)


def fixed_function(case: Case, inputs: Inputs, engine: str, **chosen: Any) -> Function:
    """Ours, by an engine.

    Args:
        chosen: see :class:`~softmaxfx.golden.torch.options.Options`.
    """
    how = {"config": case.config, "engine": engine, **chosen}
    if case.operation == ATTENTION:
        return partial(fixed_scaled_dot_product_attention, is_causal=True, **how)
    if case.operation == LOSS:
        return partial(fixed_cross_entropy, target=inputs.target, **how)
    return partial(fixed_softmax, dim=-1, **how)


def work(case: Case, function: Function, inputs: Inputs) -> Work:
    """One run of the operation by a function."""
    if case.operation in (FORWARD, ATTENTION):
        return torch.no_grad()(partial(function, *inputs.given))
    x = inputs.given[0].detach().requires_grad_()
    if case.operation == BACKWARD:
        result = function(x)
        return partial(torch.autograd.grad, result, x, inputs.upstream, retain_graph=True)
    return lambda: torch.autograd.grad(function(x), x, inputs.upstream)


def outputs(case: Case, inputs: Inputs, engine: str) -> dict[str, Tensor]:
    """All that an engine gives of an operation, by name."""
    function = fixed_function(case, inputs, engine)
    if case.operation == ATTENTION:
        return {"result": work(case, function, inputs)()}
    if case.operation == FORWARD:
        return {"p": work(case, function, inputs)()}
    x = inputs.given[0].detach().requires_grad_()
    result = function(x)
    (gradient,) = torch.autograd.grad(result, x, inputs.upstream)
    if case.operation == LOSS:  # the mean has a gradient, but hides the rows' losses
        return {"loss": function(x.detach(), reduction="none"), "gradient": gradient}
    return {"p": result.detach(), "gradient": gradient}
