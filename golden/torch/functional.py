"""torch's softmax family in fixed point: what ``torch.nn.functional`` calls by the same names.

Logits are quantised to the input format, half up and saturating; results are the exact values
of the unit's codes, cast to the dtype that torch's function gives.
"""

import warnings
from typing import Unpack

import torch
from torch import Tensor

from ..config import SoftmaxConfig
from . import ops
from .options import Choices, Options, options

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Of the tensors that are taken."""


def fixed_softmax(
    input: Tensor,
    dim: int | None = None,
    config: SoftmaxConfig | str = "base",
    *,
    scale: float = 1.0,
    dtype: torch.dtype | None = None,
    mask_value: float | None = None,
    **chosen: Unpack[Choices],
) -> Tensor:
    """softmax(scale * input) along a dimension, the bits of the unit, as
    ``torch.nn.functional.softmax`` has it.

    Args:
        input: float16, bfloat16, float32 or float64 of any shape; -inf leaves an element out, and a
            row without any other is all 0.
        dim: along which rows lie; None is torch's choice, which torch warns of.
        config: the unit, or a preset's name. scale: positive, multiplies the configuration's.
        dtype: input is cast to it first; the result has it. Unless given, input's.
        mask_value, chosen: see :class:`.options.Options`; chosen are engine, straight_through,
            grad_exponent, seed and check.

    Returns:
        p, input's shape. Its gradient is the backward unit's, times the scale.

    Raises:
        ConfigError: options that break a rule, or that no engine computes.
        ValueError: another dtype, rows longer than ``max_length``, NaN or +inf.
        IndexError: no such dimension.
    """
    unit = options("softmax", config, scale, mask_value=mask_value, **chosen)
    return apply(input, dim_of("softmax", input, dim), dtype, unit)[0]


def fixed_log_softmax(
    input: Tensor,
    dim: int | None = None,
    config: SoftmaxConfig | str = "base",
    *,
    scale: float = 1.0,
    dtype: torch.dtype | None = None,
    mask_value: float | None = None,
    **chosen: Unpack[Choices],
) -> Tensor:
    """log_softmax(scale * input) along a dimension, the bits of the unit, as
    ``torch.nn.functional.log_softmax`` has it; arguments are those of :func:`fixed_softmax`.

    A configuration of softmax is made one of log_softmax, see :func:`.unit.log_config`. No unit
    computes its gradient, which is g - p sum g in float, with p of the unit of the same inputs and
    output UQ(0, 16); 0 where an element was clipped, unless ``clip_gradient`` is ``"pass"`` or
    ``straight_through`` is set.

    Returns:
        log p, input's shape; an element that takes no part has the lowest code's value.
    """
    unit = options("log_softmax", config, scale, mask_value=mask_value, **chosen)
    return apply(input, dim_of("log_softmax", input, dim), dtype, unit)[0]


def dim_of(name: str, x: Tensor, dim: int | None) -> int:
    """The dimension, or torch's choice where there is none, with torch's warning of it."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=4,
    )
    return implicit_dim(x)


def implicit_dim(x: Tensor) -> int:
    """torch's choice where no dimension is given."""
    return 0 if x.ndim in (0, 1, 3) else 1


def apply(x: Tensor, dim: int, dtype: torch.dtype | None, chosen: Options) -> tuple[Tensor, Tensor]:
    """(result, elements clipped: int64 of no dimension) of softmax or log_softmax along ``dim``."""
    x = x if dtype is None else x.to(dtype)
    require_real("input", x)
    whole = chosen.masked(x[None] if x.ndim == 0 else x)
    moved = whole.movedim(dim, -1)
    gradient = chosen.gradient(x)
    result, _, _, clipped = ops.softmax(
        rows_of(moved),
        chosen.seed_of(gradient),
        chosen.config,
        chosen.engine,
        gradient,
        chosen.grad_exponent,
        chosen.check,
    )
    result = result.view(moved.shape).movedim(-1, dim).to(result_dtype(x, dtype))
    return result.contiguous().view(x.shape), clipped


def require_real(name: str, x: Tensor) -> None:
    """Raise ValueError where a tensor is of no real dtype that the units are fed from."""
    if x.dtype not in DTYPES:
        raise ValueError(
            f"{name} must be float16, bfloat16, float32 or float64, not {x.dtype}".replace(
                "torch.", ""
            )
        )


def rows_of(x: Tensor) -> Tensor:
    """Rows along the last axis, (rows, n), contiguous; halves as float32, which is exact."""
    x = x.float() if x.itemsize == 2 else x
    rows = x.shape[:-1].numel() if x.numel() else 0
    return x.reshape(rows, x.shape[-1]).contiguous()


def result_dtype(x: Tensor, dtype: torch.dtype | None) -> torch.dtype:
    """What torch's softmax gives: autocast on accelerators makes it float32."""
    if dtype is None and x.device.type != "cpu" and torch.is_autocast_enabled(x.device.type):
        return torch.float32 if x.itemsize == 2 else x.dtype
    return x.dtype
