"""torch's cross_entropy in fixed point: the unit's losses, and what torch makes of them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import _reduction

from ..config import SoftmaxConfig
from ..errors import require
from .functional import require_real, rows_of
from .loss_ops import class_weights, classes, cross_entropy
from .options import Options, options

REDUCTIONS = "none", "mean", "sum"


@dataclass(frozen=True, slots=True)
class LossOptions:
    """What torch's cross_entropy takes besides logits and targets.

    Attributes:
        weight: (C,), of every class, not negative; None: 1.
        ignore_index: class index of elements without a loss.
        reduction: ``"none"``, ``"mean"`` (by the targets' weights where targets are classes) or
            ``"sum"``.
        label_smoothing: from 0 to 1, the share of a target that is spread over all classes.
    """

    weight: Tensor | None = None
    ignore_index: int = -100
    reduction: str = "mean"
    label_smoothing: float = 0.0


def fixed_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    config: SoftmaxConfig | str = "base",
    scale: float = 1.0,
    engine: str | None = None,
    check: bool = True,
    mask_value: float | None = None,
) -> Tensor:
    """The cross-entropy of scale * input, the bits of the unit, as
    ``torch.nn.functional.cross_entropy`` has it.

    The losses' sum is exact; it is divided, and multiplied by the largest class weight where that
    is above 1, in float64. Smoothing spreads its share over the classes that are not masked.

    Args:
        input: (C,), (N, C) or (N, C, d1, ...): float16, bfloat16, float32 or float64; -inf masks a
            class.
        target: classes, int64, input's shape without C; or probabilities, floats of input's shape,
            which may sum to less than 1, and have no gradient.
        weight, size_average, ignore_index, reduce, reduction, label_smoothing: as in torch.
        config: the unit, or a preset's name. scale: positive, multiplies the configuration's.
        engine, check, mask_value: see :class:`.options.Options`.

    Returns:
        The loss in input's dtype. Its gradient is the unit's, times the scale.

    Raises:
        ConfigError: options that break a rule, or that no engine computes.
        ValueError: another dtype or shape, rows longer than ``max_length``, NaN or +inf, a target
            that is no class, masked or no probabilities.
    """
    reduction = reduction_of(size_average, reduce, reduction)
    how = LossOptions(weight, ignore_index, reduction, label_smoothing)
    unit = options("softmax", config, scale, engine=engine, check=check, mask_value=mask_value)
    return loss_of(input, target, how, unit)[0]


def reduction_of(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that torch's older arguments name, if they are given; torch warns of them."""
    if size_average is None and reduce is None:
        return reduction
    return _reduction.legacy_get_string(size_average, reduce)


def loss_of(x: Tensor, target: Tensor, how: LossOptions, chosen: Options) -> tuple[Tensor, Tensor]:
    """(loss, elements clipped: int64 of no dimension); see :func:`fixed_cross_entropy`."""
    _check(x, target, how)
    x = chosen.masked(x)
    place = 0 if x.ndim == 1 else 1
    logits = rows_of(x.movedim(place, -1))
    of_classes = target.ndim < x.ndim
    if of_classes:
        given = target.reshape(-1).long()
        given = classes(given, x.shape[place], how.ignore_index, chosen.check)
    else:
        given = rows_of(target.detach().movedim(place, -1))
    weight, most = _weight(how.weight)
    plain = of_classes and weight is None and how.label_smoothing == 0
    taken = given if plain else class_weights(
        given, logits.detach() != -torch.inf, weight, float(how.label_smoothing), chosen.check
    )  # fmt: skip
    losses, clipped = cross_entropy(logits, taken, chosen.config, chosen.engine, chosen.check)
    losses = losses.double() * most
    shape = x.shape[:place] + x.shape[place + 1 :]
    if how.reduction == "none":
        return losses.view(shape).to(_dtype(x)), clipped
    total = losses.sum()
    if how.reduction == "mean":
        total = total / (_share(given, how.weight) if of_classes else shape.numel())
    return total.to(_dtype(x)), clipped


def _weight(weight: Tensor | None) -> tuple[Tensor | None, Tensor | float]:
    """Weights of at most 1, and what the losses are then multiplied by."""
    if weight is None:
        return None, 1.0
    most = weight.detach().double().max().clamp(min=1)
    return weight.detach().double() / most, most


def _share(classes: Tensor, weight: Tensor | None) -> Tensor:
    """What torch's mean divides by: the sum of the targets' weights."""
    given = classes >= 0
    if weight is None:
        return given.sum()
    return torch.where(given, weight.double()[classes.clamp(min=0)], 0).sum()


def _dtype(x: Tensor) -> torch.dtype:
    """What torch's cross_entropy gives: autocast makes it float32."""
    autocast = torch.is_autocast_enabled(x.device.type) and x.itemsize == 2
    return torch.float32 if autocast else x.dtype


def _check(x: Tensor, target: Tensor, how: LossOptions) -> None:
    require_real("input", x)
    require(
        how.reduction in REDUCTIONS,
        f"reduction must be one of {', '.join(REDUCTIONS)}, not {how.reduction!r}",
    )
    require(
        0 <= how.label_smoothing <= 1,
        f"label_smoothing must be from 0 to 1, not {how.label_smoothing!r}",
    )
    if x.ndim == 0:
        raise ValueError("input must have classes along an axis, not no dimension")
    of_classes = x.shape[1:] if x.ndim == 1 else x.shape[:1] + x.shape[2:]
    integers = target.dtype in (torch.int64, torch.uint8)
    if not (
        (integers and target.shape == of_classes)
        or (target.is_floating_point() and target.shape == x.shape)
    ):
        raise ValueError(
            f"target must be classes, int64 of shape {tuple(of_classes)}, or probabilities, floats "
            f"of shape {tuple(x.shape)}, not {str(target.dtype).removeprefix('torch.')} of shape "
            f"{tuple(target.shape)}"
        )
    if target.is_floating_point() and how.ignore_index >= 0:
        raise ValueError(
            f"ignore_index must be negative where target holds probabilities, not "
            f"{how.ignore_index}"
        )
    if target.requires_grad:
        raise ValueError("target must not need a gradient, which no unit computes")
    _check_weight(x.shape[0 if x.ndim == 1 else 1], how.weight)


def _check_weight(count: int, weight: Tensor | None) -> None:
    if weight is not None and weight.shape != (count,):
        raise ValueError(
            f"weight must be {count} numbers, one a class, not of shape {tuple(weight.shape)}"
        )
