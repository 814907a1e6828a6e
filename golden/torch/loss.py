"""torch's cross_entropy in fixed point: the unit's losses, and what torch makes of them."""

import torch
from torch import Tensor
from torch.nn import _reduction

from ..config import SoftmaxConfig
from .functional import rows_of
from .loss_ops import class_weights, classes, cross_entropy, cross_entropy_and_gradient
from .loss_options import LossOptions, check_loss, class_axis
from .options import Options, options


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
    check_loss(x, target, how)
    x, place = chosen.masked(x), class_axis(x)
    logits = rows_of(x.movedim(place, -1))
    given = _given(x, target, how, chosen.check)
    weight, most = _weight(how.weight)
    taken = _taken(given, logits, weight, how, chosen.check)
    upstream = _upstream(logits, given, how, most)
    unit = chosen.config, chosen.engine, chosen.check
    if upstream is None:
        losses, clipped = cross_entropy(logits, taken, *unit)
    else:
        losses, clipped, _ = cross_entropy_and_gradient(logits, taken, upstream, *unit)
    losses = (losses.double() * most).view(x.shape[:place] + x.shape[place + 1 :])
    return _reduced(losses, given, how).to(loss_dtype(x)), clipped


def _upstream(
    logits: Tensor, given: Tensor, how: LossOptions, most: Tensor | float
) -> Tensor | None:
    """The rows' gradients of a loss whose own is 1, float64, (rows,); None where no gradient is
    wanted, or each row's is another's business.

    Elsewhere than on the CPU, to look whether they came would make the host wait.
    """
    wanted = torch.is_grad_enabled() and logits.requires_grad
    if not wanted or how.reduction == "none" or logits.device.type != "cpu":
        return None
    loss = torch.ones((), dtype=torch.float64, device=logits.device)
    if how.reduction == "mean":
        loss = loss / _divisor(given, how)
    return (loss * most).expand(len(logits)).contiguous()


def _given(x: Tensor, target: Tensor, how: LossOptions, check: bool) -> Tensor:
    """A class a row, (rows,), -1 where it has no loss; or probabilities, (rows, C)."""
    place = class_axis(x)
    if target.ndim == x.ndim:
        return rows_of(target.detach().movedim(place, -1))
    return classes(target.reshape(-1).long(), x.shape[place], how.ignore_index, check)


def _taken(
    given: Tensor, logits: Tensor, weight: Tensor | None, how: LossOptions, check: bool
) -> Tensor:
    """Targets as the unit takes them: classes, or weights of all classes."""
    if given.ndim == 1 and weight is None and how.label_smoothing == 0:
        return given
    active = logits.detach() != -torch.inf
    return class_weights(given, active, weight, float(how.label_smoothing), check)


def _reduced(losses: Tensor, given: Tensor, how: LossOptions) -> Tensor:
    if how.reduction == "none":
        return losses
    if how.reduction == "sum":
        return losses.sum()
    return losses.sum() / _divisor(given, how)


def _divisor(given: Tensor, how: LossOptions) -> Tensor | int:
    """What the sum of the losses is divided by in their mean."""
    return _share(given, how.weight) if given.ndim == 1 else len(given)


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


def loss_dtype(x: Tensor) -> torch.dtype:
    """What torch's cross_entropy gives: autocast makes it float32."""
    autocast = torch.is_autocast_enabled(x.device.type) and x.itemsize == 2
    return torch.float32 if autocast else x.dtype
