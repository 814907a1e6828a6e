"""What torch's cross_entropy takes, and what goes together."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import require
from .functional import require_real

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


def check_loss(x: Tensor, target: Tensor, how: LossOptions) -> None:
    """Raise ValueError where logits, targets and options do not go together."""
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
    _check_target(x, target)
    _check_probabilities(target, how)
    _check_weight(x.shape[class_axis(x)], how.weight)


def class_axis(x: Tensor) -> int:
    """The axis of the classes, as in torch."""
    return 0 if x.ndim == 1 else 1


def _check_target(x: Tensor, target: Tensor) -> None:
    place = class_axis(x)
    of_classes = x.shape[:place] + x.shape[place + 1 :]
    integers = target.dtype in (torch.int64, torch.uint8)
    classes = integers and target.shape == of_classes
    if not classes and not (target.is_floating_point() and target.shape == x.shape):
        raise ValueError(
            f"target must be classes, int64 of shape {tuple(of_classes)}, or probabilities, floats "
            f"of shape {tuple(x.shape)}, not {str(target.dtype).removeprefix('torch.')} of shape "
            f"{tuple(target.shape)}"
        )


def _check_probabilities(target: Tensor, how: LossOptions) -> None:
    if target.is_floating_point() and how.ignore_index >= 0:
        raise ValueError(
            f"ignore_index must be negative where target holds probabilities, not "
            f"{how.ignore_index}"
        )
    if target.requires_grad:
        raise ValueError("target must not need a gradient, which no unit computes")


def _check_weight(count: int, weight: Tensor | None) -> None:
    if weight is not None and weight.shape != (count,):
        raise ValueError(
            f"weight must be {count} numbers, one a class, not of shape {tuple(weight.shape)}"
        )
