"""Calls of torch's softmax family computed by units, in the place of torch's own functions."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from .attention import attention
from .functional import apply, dim_of
from .loss import loss_of, reduction_of
from .loss_options import LossOptions
from .options import Options
from .refusals import SWAP, Purpose


class UnitCalls:
    """What :class:`.intercept.Intercept` hands calls to, so that units compute them.

    Args:
        units: by the names of :data:`.intercept.FAMILY`; those without a unit are left as they are.
        seen: called for every call that a unit computes, with such a name, and whether a compiler
            traces it.
    """

    purpose: Purpose = SWAP

    def __init__(self, units: Mapping[str, Options], seen: Callable[[str, bool], None]) -> None:
        self.units, self.seen = dict(units), seen

    @property
    def functions(self) -> Collection[str]:
        """Those with a unit."""
        return self.units

    def compute(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Tensor:
        """The unit's result; torch's own function is not called."""
        self.seen(name, torch.compiler.is_compiling())
        return _COMPUTE[name](self.units[name], *args, **kwargs)


def _softmax(
    unit: Options, input: Tensor, dim: int | None = None, *rest: Any, dtype: Any = None, **more: Any
) -> Tensor:
    """Functions differ in what follows the dimension: a depth of the stack, or a dtype."""
    SWAP.require_plain(input, more)
    given = [each for each in rest if isinstance(each, torch.dtype)]
    return apply(input, dim_of("softmax", input, dim), given[0] if given else dtype, unit)[0]


def _cross_entropy(
    unit: Options,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    SWAP.require_plain(input, {})
    reduction = reduction_of(size_average, reduce, reduction)
    return loss_of(
        input, target, LossOptions(weight, ignore_index, reduction, label_smoothing), unit
    )[0]


def _attention(unit: Options, query: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    SWAP.require_plain(query, {})
    return attention(unit, query, *args, **kwargs)


_COMPUTE: dict[str, Callable[..., Tensor]] = {
    "softmax": _softmax,
    "log_softmax": _softmax,
    "cross_entropy": _cross_entropy,
    "attention": _attention,
}
