"""What stands between a model and torch's softmax family: every call of it is handed on.

It is a mode of torch's function overrides: while it is on, torch hands it every call, from Python
code and from torch's own modules alike, and compilers trace through it.
"""

from collections.abc import Callable, Collection, Mapping
from types import FunctionType
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .refusals import Purpose

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
"""Functions that have a softmax inside, which nobody can see or take the place of."""


class Treatment(Protocol):
    """What is done with a call of the family."""

    @property
    def purpose(self) -> Purpose:
        """What it is done for."""
        ...

    @property
    def functions(self) -> Collection[str]:
        """Whose calls it takes, of :data:`FAMILY`; others are left as they are."""
        ...

    def compute(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """The result of a call.

        Args:
            name: of :data:`FAMILY`. function: torch's own, and what it was called with.
        """
        ...


class Intercept(TorchFunctionMode):
    """While it is on, calls of torch's softmax family are handed to a treatment."""

    def __init__(self, treatment: Treatment) -> None:
        super().__init__()
        self.treatment = treatment
        self.refused = frozenset(name for each in treatment.functions for name in REFUSED[each])
        self.kinds = {name: each for each in treatment.functions for name in FAMILY[each]}

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
            return self.treatment.compute(kind, func, args, kwargs)
        if name in self.refused:
            raise self.treatment.purpose.not_called(name)
        if name in _INSIDE:
            with self:
                return _INSIDE[name](*args, **kwargs)
        if name == "unflatten" and torch.compiler.is_compiling():
            return torch.unflatten(*args, **kwargs)  # the method's own call of super has no trace
        return func(*args, **kwargs)


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
