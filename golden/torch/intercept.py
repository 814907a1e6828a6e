"""What stands between a model and torch's softmax family: every call of it goes to a unit.

It is a mode of torch's function overrides: while it is on, torch hands it every call, from Python
code and from torch's own modules alike, and compilers trace through it.
"""

from collections.abc import Callable, Collection, Mapping
from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .attention import attention
from .functional import apply, dim_of
from .loss import loss_of, reduction_of
from .loss_options import LossOptions
from .options import Options

FAMILY: Mapping[str, tuple[str, ...]] = {
    "softmax": ("softmax", "special_softmax"),
    "log_softmax": ("log_softmax", "special_log_softmax"),
    "cross_entropy": ("cross_entropy",),
    "attention": ("scaled_dot_product_attention",),
}
"""What is intercepted, by the names that torch's functions have, however they are called."""

REFUSED: Mapping[str, tuple[str, ...]] = {
    "softmax": (
        "_softmax", "_softmax.default", "softmax.int", "_safe_softmax", "_safe_softmax.default",
        "_masked_softmax", "_sparse_softmax", "softmax_",
    ),
    "log_softmax": (
        "_log_softmax", "_log_softmax.default", "log_softmax.int", "_sparse_log_softmax",
    ),
    "cross_entropy": (
        "cross_entropy_loss", "cross_entropy_loss.default", "linear_cross_entropy",
    ),
    "attention": (
        "scaled_dot_product_attention.default", "flex_attention", "_native_multi_head_attention",
        "_triton_multi_head_attention", "_triton_scaled_dot_attention",
        "_transformer_encoder_layer_fwd", "_scaled_dot_product_flash_attention",
        "_scaled_dot_product_efficient_attention", "_scaled_dot_product_attention_math",
        "_scaled_dot_product_cudnn_attention", "_scaled_dot_product_flash_attention_for_cpu",
    ),
}  # fmt: skip
"""Functions that have a softmax inside of which no unit can take the place."""


class SwapError(RuntimeError):
    """A model in which not every softmax can be a unit's, in one sentence."""


class Intercept(TorchFunctionMode):
    """While it is on, torch's softmax family is computed by units.

    Args:
        units: by the names of :data:`FAMILY`; those without a unit are left as they are.
        seen: called for every call that a unit computes, with such a name, and whether a compiler
            traces it.
    """

    def __init__(self, units: Mapping[str, Options], seen: Callable[[str, bool], None]) -> None:
        super().__init__()
        self.units, self.seen = dict(units), seen
        self.refused = frozenset(name for each in units for name in REFUSED[each])
        self.kinds = {name: each for each in units for name in FAMILY[each]}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        kind = self.kinds.get(name)
        if kind is not None:
            self.seen(kind, torch.compiler.is_compiling())
            return _COMPUTE[kind](self.units[kind], *args, **kwargs)
        if name in self.refused:
            raise SwapError(f"{name} must not be called: no unit takes the place of its softmax")
        if name in _INSIDE:
            with self:
                return _INSIDE[name](*args, **kwargs)
        if name == "unflatten" and torch.compiler.is_compiling():
            return torch.unflatten(*args, **kwargs)  # the method's own call of super has no trace
        return func(*args, **kwargs)


def _softmax(
    unit: Options, x: Tensor, dim: int | None = None, *rest: Any, dtype: Any = None, **more: Any
) -> Tensor:
    """Functions differ in what follows the dimension: a depth of the stack, or a dtype."""
    _refuse_more(x, more)
    given = [each for each in rest if isinstance(each, torch.dtype)]
    return apply(x, dim_of("softmax", x, dim), given[0] if given else dtype, unit)[0]


def _cross_entropy(
    unit: Options,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    _refuse_more(x, {})
    reduction = reduction_of(size_average, reduce, reduction)
    return loss_of(x, target, LossOptions(weight, ignore_index, reduction, label_smoothing), unit)[
        0
    ]


def _attention(unit: Options, query: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    _refuse_more(query, {})
    return attention(unit, query, *args, **kwargs)


def _refuse_more(x: Tensor, more: Mapping[str, Any]) -> None:
    if any(value is not None for name, value in more.items() if name != "_stacklevel"):
        raise SwapError(f"softmax must be called without {', '.join(more)}")
    if x.is_nested:
        raise SwapError("softmax must be of a plain tensor: a unit takes no nested ones")


_COMPUTE: dict[str, Callable[..., Tensor]] = {
    "softmax": _softmax,
    "log_softmax": _softmax,
    "cross_entropy": _cross_entropy,
    "attention": _attention,
}


def _opened(function: FunctionType) -> FunctionType:
    """A function of torch's that does not ask for overrides, so that they see what it calls.

    It would hand itself over as a whole, and be called with the mode off.
    """
    inside = dict(function.__globals__)
    for asks in ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic"):
        inside[asks] = _no
    opened = FunctionType(
        function.__code__, inside, function.__name__, function.__defaults__, function.__closure__
    )
    opened.__kwdefaults__ = function.__kwdefaults__
    return opened


def _no(*_: Any) -> bool:
    return False


def _with_softmax() -> dict[str, FunctionType]:
    """torch's functions of Python code that call the softmax family, opened."""
    family = {name for names in FAMILY.values() for name in names}
    refused = {name for names in REFUSED.values() for name in names}
    found = {
        name: function
        for name, function in vars(functional).items()
        if isinstance(function, FunctionType) and family & set(function.__code__.co_names)
    }
    return {
        name: _opened(function)
        for name, function in found.items()
        if name not in family and name not in refused
    }


_INSIDE = _with_softmax()
