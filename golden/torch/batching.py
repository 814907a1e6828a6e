"""Operators of rows under ``torch.vmap``: what is mapped over becomes more rows."""

from collections.abc import Callable
from typing import Any

from torch import Tensor


def rowwise(operator: Callable[..., Any]) -> Callable[..., Any]:
    """The rule of an operator whose tensors have rows along their first axis, or no dimension.

    Tensors without a dimension stay as they are: a result of that kind is one for the whole batch.
    """

    def rule(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> tuple[Any, Any]:
        size = info.batch_size
        results = operator(*(_flat(arg, dim, size) for arg, dim in zip(args, in_dims, strict=True)))
        if isinstance(results, Tensor):
            return _batched(results, size), _dim(results)
        return tuple(_batched(each, size) for each in results), tuple(map(_dim, results))

    return rule


def _flat(arg: Any, dim: int | None, size: int) -> Any:
    """An argument with its batch among its rows."""
    if not isinstance(arg, Tensor) or (dim is None and not arg.ndim):
        return arg
    batched = arg.movedim(dim, 0) if dim is not None else arg.expand(size, *arg.shape)
    if batched.ndim == 1:
        raise ValueError("seed must be one for the whole batch of torch.vmap, not one for each")
    return batched.flatten(0, 1).contiguous()


def _batched(result: Tensor, size: int) -> Tensor:
    return result.unflatten(0, (size, len(result) // size)) if result.ndim else result


def _dim(result: Tensor) -> int | None:
    return 0 if result.ndim else None
