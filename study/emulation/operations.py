"""What is timed and what is checked: torch's float functions, and ours, on the same tensors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from ...golden.torch import (
    fixed_cross_entropy,
    fixed_scaled_dot_product_attention,
    fixed_softmax,
)
from .cases import (
    ATTENTION,
    BACKWARD,
    BOTH,
    FORWARD,
    LOSS,
    OF_ATTENTION,
    Case,
    Shape,
)

OF_HEADS = torch.bfloat16
"""Of query, key and value, as networks have them."""

Function = Callable[..., Tensor]
MOST_CHECKED = 1 << 24
"""Scores at once, which the engine in torch's operations stores as integers."""

Work = Callable[[], Any]
"""Makes new tensors each time."""


@dataclass(frozen=True, eq=False, slots=True)
class Inputs:
    """What functions get.

    Attributes:
        given: the tensors that they take: logits; or query, key and value.
        upstream: gradients of a loss by the result, its shape; None where there is a target.
        target: classes, (rows,); None elsewhere.
    """

    given: tuple[Tensor, ...]
    upstream: Tensor | None = None
    target: Tensor | None = None


def draw(operation: str, shape: Shape, device: str, seed: int = 1) -> Inputs:
    """Inputs of an operation, drawn on the device; the last ones are kept, as several operations
    in a row take them."""
    of_rows = LOSS if operation == LOSS else BOTH
    return _drawn(ATTENTION if operation in OF_ATTENTION else of_rows, shape, device, seed)


def draw_exact(case: Case, device: str, seed: int) -> Inputs:
    """Inputs of attention, of some heads, by which every engine's result and its gradient by key
    are the same bits, though sums are float.

    Rows of query and value are those of identities, so that scores are elements of key, and every
    sum is one of few codes, which a float32 holds. Gradients fill the format up to a power of two.
    """
    _, heads, rows, width = case.shape.size
    heads = max(min(heads, MOST_CHECKED // rows**2), 1)
    generator = torch.Generator(device).manual_seed(seed)
    normal = partial(torch.randn, (1, heads, rows, width), generator=generator, device=device)
    one = torch.eye(width, device=device).repeat(-(-rows // width), 1)[:rows]
    query = one.expand(1, heads, rows, width)
    upstream = normal().clamp(-0.7, 0.7)
    upstream[..., 0] = 0.75
    power = torch.arange(rows, device=device) // width % 3
    upstream *= torch.exp2(-power.float())[:, None]
    given = (query, normal() * 3, query, upstream)
    *of_heads, upstream = (each.to(OF_HEADS).contiguous() for each in given)
    return Inputs(tuple(of_heads), upstream=upstream)


@lru_cache(maxsize=1)
def _drawn(operation: str, shape: Shape, device: str, seed: int) -> Inputs:
    generator = torch.Generator(device).manual_seed(seed)
    normal = partial(torch.randn, shape.size, generator=generator, device=device)
    if operation == ATTENTION:
        query, key, value, upstream = (normal().to(OF_HEADS) for _ in range(4))
        return Inputs((query, key, value), upstream=upstream)
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
    """torch's own; of attention its flash kernel, which stores no scores either."""
    if case.operation in OF_ATTENTION:
        return _flash
    if inputs.target is not None:
        return partial(functional.cross_entropy, target=inputs.target)
    return partial(torch.softmax, dim=-1)


def _flash(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True)


def fixed_function(case: Case, inputs: Inputs, engine: str, **chosen: Any) -> Function:
    """Ours, by an engine.

    Args:
        chosen: see :class:`~softmaxfx.golden.torch.options.Options`.
    """
    how = {"config": case.config, "engine": engine, **chosen}
    if case.operation in OF_ATTENTION:
        return partial(fixed_scaled_dot_product_attention, is_causal=True, **how)
    if case.operation == LOSS:
        return partial(fixed_cross_entropy, target=inputs.target, **how)
    return partial(fixed_softmax, dim=-1, **how)


def work(case: Case, function: Function, inputs: Inputs) -> Work:
    """One run of the operation by a function."""
    if case.operation in (FORWARD, ATTENTION):
        return torch.no_grad()(partial(function, *inputs.given))
    given = _leaves(inputs)
    if case.operation == BACKWARD:
        result = function(*given)
        return partial(torch.autograd.grad, result, given, inputs.upstream, retain_graph=True)
    return lambda: torch.autograd.grad(function(*given), given, inputs.upstream)


def _leaves(inputs: Inputs) -> list[Tensor]:
    return [each.detach().requires_grad_() for each in inputs.given]


def outputs(case: Case, inputs: Inputs, engine: str) -> dict[str, Tensor]:
    """All that an engine gives of an operation and that has one value, by name."""
    if case.operation in OF_ATTENTION:
        return _of_attention(case, inputs, engine)
    function = fixed_function(case, inputs, engine)
    if case.operation == FORWARD:
        return {"p": work(case, function, inputs)()}
    (x,) = _leaves(inputs)
    result = function(x)
    (gradient,) = torch.autograd.grad(result, x, inputs.upstream)
    if case.operation == LOSS:  # the mean has a gradient, but hides the rows' losses
        return {"loss": function(x.detach(), reduction="none"), "gradient": gradient}
    return {"p": result.detach(), "gradient": gradient}


def _of_attention(case: Case, inputs: Inputs, engine: str) -> dict[str, Tensor]:
    """The result, and dS as the gradient by key, of what :func:`draw_exact` draws."""
    function = fixed_function(case, inputs, engine, scale=1.0)
    if case.operation == ATTENTION:
        return {"result": work(case, function, inputs)()}
    given = _leaves(inputs)
    result = function(*given)
    gradient = torch.autograd.grad(result, given[1], inputs.upstream)[0]
    return {"result": result.detach(), "gradient by key": gradient}
