"""The cross-entropy unit, bit for bit: loss ln S - x_t and gradient p - y of rows of logits."""

import warnings
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from ..config import SoftmaxConfig
from ..errors import require_whole
from ..formats import checked_codes
from ..given import left_out, plain, real_values, unmasked, without_mask
from ..stages.loss import WEIGHT_FRACTION, loss_stage
from ..stages.residual import residual_stage
from ..types import Bits, Codes, Reals
from .softmax import BLOCK, exponentials, row_exponents

IGNORE_INDEX = -100
"""The class index of a row without a loss, as in torch."""


class ProbabilitiesGivenWarning(UserWarning):
    """Rows given as logits look like probabilities: their softmax would be taken twice."""


@dataclass(frozen=True, eq=False, slots=True)
class WeightedRows:
    """Losses L = sum z (-log p) of rows and their gradients, for weights z of the classes.

    Attributes:
        loss: codes of ``config.loss``, (rows,). grad: codes of ``config.loss_grad``, (rows, N).
        clipped: bool, (rows, N): active elements whose logit (or difference) was clipped.
        exponent: (rows,): the gradients are those times 2**exponent; 0 where rows have none.
    """

    loss: Codes
    grad: Codes
    clipped: Bits
    exponent: Codes


@dataclass(frozen=True, eq=False, slots=True)
class LossRows:
    """What the unit tells of rows.

    Attributes:
        loss: codes of ``config.loss``, (rows,). grad: codes of ``config.loss_grad``, (rows, N).
        exponent: (rows,): the gradients are (p - y) * 2**exponent; 0 where rows have none.
        clipped: bool, (rows, N): active elements whose logit (or difference) was clipped.
        ignored: bool, (rows,): the target is outside the row; loss and gradient are 0.
        error: bool, (rows,): the target is masked; loss and gradient are 0.
    """

    loss: Codes
    grad: Codes
    clipped: Bits
    ignored: Bits
    error: Bits
    exponent: Codes


def cross_entropy(
    x: npt.ArrayLike,
    target: npt.ArrayLike,
    config: SoftmaxConfig,
    mask: npt.ArrayLike | None = None,
    *,
    ignore_index: int = IGNORE_INDEX,
    label_smoothing: float = 0.0,
    class_weights: npt.ArrayLike | None = None,
    from_logits: bool | None = None,
) -> tuple[Codes, Codes]:
    """Losses and gradients of rows of logits; with plain indices, the bits the hardware gives.

    Options mean what they do in ``torch.nn.CrossEntropyLoss`` with ``reduction="none"``.

    Args:
        x: codes of ``config.input``, integers, rows along the last axis. Logits: softmax is part of
            the unit.
        target: class indices, integers, x's shape without the last axis; or probabilities, floats
            of x's shape, each row summing to 1.
        mask: broadcast to x's shape; ``True`` leaves a class out, as does the mask of a
            ``numpy.ma`` array.
        ignore_index: index of rows whose loss and gradient are 0.
        label_smoothing: share of the target spread evenly over the classes that take part.
        class_weights: of every class, from 0 to 1: the gradient's format ends at 1.
        from_logits: ``None``: x are logits; rows that look like probabilities cause a
            :class:`ProbabilitiesGivenWarning`. ``True``: they are logits, whatever they look like.
            ``False``: x are probabilities, codes of ``config.output``, and their logarithms are
            the logits.

    Returns:
        (loss, gradient): codes of ``config.loss``, x's shape without the last axis, and of
        ``config.loss_grad``, x's shape.

    Raises:
        ConfigError: a loss format that the largest loss does not fit, or ``log_softmax``.
        ValueError: codes that are not the format's, a target of another shape or dtype, outside the
            row or masked, probabilities that do not sum to 1, options out of range.
    """
    require_whole("ignore_index", plain(ignore_index), -(2**63), 2**63 - 1)
    codes = _logits(without_mask(x), config, from_logits)
    active = ~left_out(x, mask, codes.shape)
    shape = codes.shape
    flat, active = codes.reshape(-1, shape[-1]), active.reshape(-1, shape[-1])
    y, ignored = _distribution(unmasked("target", target), shape, active, ignore_index)
    z = _weights(y, active, label_smoothing, class_weights)
    z[ignored] = 0
    rows = weighted_rows(flat, active, z, config)
    return rows.loss.reshape(shape[:-1]), rows.grad.reshape(shape)


def cross_entropy_rows(
    codes: Codes, active: Bits, lengths: Codes, target: Codes, config: SoftmaxConfig
) -> LossRows:
    """The unit's answer to rows, any target index allowed.

    Args:
        codes: of ``config.input``, (rows, N). active: same shape. lengths, target: (rows,).
    """
    ignored = (target < 0) | (target >= lengths)
    place = np.where(ignored, 0, target)[:, None]
    error = ~ignored & ~np.take_along_axis(active, place, axis=1)[:, 0]
    z = np.zeros(codes.shape, np.int64)
    np.put_along_axis(z, place, 1 << WEIGHT_FRACTION, axis=1)
    z[ignored | error] = 0
    rows = weighted_rows(codes, active, z, config)
    clipped = rows.clipped & ~error[:, None]
    return LossRows(rows.loss, rows.grad, clipped, ignored, error, rows.exponent)


def weighted_rows(codes: Codes, active: Bits, z: Codes, config: SoftmaxConfig) -> WeightedRows:
    """Losses and gradients of rows; 0 where all weights of a row are.

    Args:
        codes: of ``config.input``, (rows, N). active: same shape.
        z: weights of the classes in units of 2**-WEIGHT_FRACTION, same shape; 0 where not active.
    """
    parts = [_block(codes[block], active[block], z[block], config) for block in _blocks(codes)]
    return WeightedRows(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def gradients_before_target(
    codes: Codes, active: Bits, config: SoftmaxConfig
) -> tuple[Codes, Bits]:
    """What leaves of rows before their targets' elements come: (p as a gradient, the flags of what
    was clipped), both (rows, N).

    Args:
        codes: of ``config.input``, (rows, N). active: same shape.
    """
    parts = [_before_target(codes[block], active[block], config) for block in _blocks(codes)]
    grad, clipped = zip(*parts, strict=True)
    return np.concatenate(grad), np.concatenate(clipped)


def _before_target(codes: Codes, active: Bits, config: SoftmaxConfig) -> tuple[Codes, Bits]:
    elements, total, clipped = exponentials(codes, active, config)
    exponent = row_exponents(elements, total, config)
    p = residual_stage(config).before_target(elements, total, exponent)
    return np.where(_dropped(clipped, config) | ~active, 0, p), clipped


def _dropped(clipped: Bits, config: SoftmaxConfig) -> Bits:
    """Elements without a gradient, for they were clipped."""
    return clipped if config.clip_gradient == "zero" else np.zeros_like(clipped)


def _blocks(codes: Codes) -> list[slice]:
    """Rows few enough to stay in the cache, at least one block."""
    rows = max(BLOCK // codes.shape[-1], 1)
    return [slice(start, start + rows) for start in range(0, max(len(codes), 1), rows)]


def _block(
    codes: Codes, active: Bits, z: Codes, config: SoftmaxConfig
) -> tuple[Codes, Codes, Bits, Codes]:
    """(loss, gradient, clipped, exponent) for weights of the classes; loss and gradient are 0 where
    all weights are."""
    elements, total, clipped = exponentials(codes, active, config)
    exponent = row_exponents(elements, total, config)
    loss = loss_stage(config).weighted(z, elements.distance, total)[:, 0]
    grad = residual_stage(config)(elements, total, z, exponent)
    without = np.logical_not(z.any(axis=-1))
    return (
        np.where(without, 0, loss),
        np.where(without[:, None] | _dropped(clipped, config) | ~active, 0, grad),
        clipped,
        exponent[:, 0],
    )


def _logits(x: npt.ArrayLike, config: SoftmaxConfig, from_logits: bool | None) -> Codes:
    """Codes of the logits; says so where they look like something else."""
    if from_logits is False:
        p = checked_codes("x", x, config.output, config.max_length)
        with np.errstate(divide="ignore"):
            logits = np.log(config.output.to_float(p)) / config.scale
        return config.input.quantize(logits, config.range)
    codes = checked_codes("x", x, config.input, config.max_length)
    if from_logits is None and codes.size:
        values = config.input.to_float(codes)
        off = np.abs(values.sum(axis=-1) - 1)
        near = off <= codes.shape[-1] * config.input.lsb / 2
        alike = near & (values >= 0).all(axis=-1) & (codes.shape[-1] > 1)
        if alike.all():
            warnings.warn(
                "x must be logits, and every row sums to 1 as probabilities do: softmax would be "
                "taken twice; from_logits=False takes probabilities, from_logits=True is silent",
                ProbabilitiesGivenWarning,
                stacklevel=3,
            )
    return codes


def _distribution(
    target: npt.NDArray[np.generic], shape: tuple[int, ...], active: Bits, ignore_index: int
) -> tuple[Reals, Bits]:
    """(target probabilities, rows that are ignored), rows flattened."""
    if np.issubdtype(target.dtype, np.integer):
        indices = cast("npt.NDArray[np.integer]", target)
        return _one_hot(indices, shape, active, ignore_index)
    if not np.issubdtype(target.dtype, np.floating) or target.shape != shape:
        raise ValueError(
            f"target must be integers of shape {shape[:-1]} (class indices) or floats of shape "
            f"{shape} (probabilities), not {target.dtype} of shape {target.shape}"
        )
    y = target.astype(np.float64).reshape(active.shape)
    sums = y.sum(axis=-1)
    if (y < 0).any():
        row, column = np.argwhere(y < 0)[0]
        raise ValueError(
            f"target must be probabilities that are not negative, not {y[row, column]:.6g} "
            f"(row {row}, class {column})"
        )
    bad = np.flatnonzero(~(np.abs(sums - 1) <= 1e-6))
    if bad.size:
        raise ValueError(
            f"target must be probabilities that sum to 1 in every row, not to "
            f"{sums[bad[0]]:.6g} (row {bad[0]})"
        )
    _refuse_masked((y > 0) & ~active)
    return y, np.zeros(len(y), bool)


def _one_hot(
    target: npt.NDArray[np.integer], shape: tuple[int, ...], active: Bits, ignore_index: int
) -> tuple[Reals, Bits]:
    if target.shape != shape[:-1]:
        raise ValueError(f"target must have shape {shape[:-1]}, a class a row, not {target.shape}")
    target = target.ravel()
    ignored = target == ignore_index
    outside = np.flatnonzero(~ignored & ((target < 0) | (target >= shape[-1])))
    if outside.size:
        raise ValueError(
            f"target must be a class from 0 to {shape[-1] - 1} or ignore_index = {ignore_index}, "
            f"not {target[outside[0]]} (row {outside[0]})"
        )
    y = np.zeros(active.shape)
    classes = np.where(ignored, 0, target).astype(np.int64)
    np.put_along_axis(y, classes[:, None], 1.0, axis=1)
    y[ignored] = 0
    _refuse_masked((y > 0) & ~active)
    return y, ignored


def _refuse_masked(bad: Bits) -> None:
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(f"target must not be a masked class, as class {column} of row {row} is")


def _weights(
    y: Reals,
    active: Bits,
    smoothing: float,
    class_weights: npt.ArrayLike | None,
) -> Codes:
    """Weights of the classes in units of 2**-WEIGHT_FRACTION: z of L = sum z (-log p)."""
    smoothing = plain(smoothing)
    if not isinstance(smoothing, int | float) or not 0 <= smoothing <= 1:
        raise ValueError(f"label_smoothing must be from 0 to 1, not {smoothing!r}")
    classes = y.shape[1]
    given = np.ones(classes) if class_weights is None else class_weights
    weights = real_values("class_weights", given)
    if weights.shape != (classes,) or not ((weights >= 0) & (weights <= 1)).all():
        raise ValueError(
            f"class_weights must be {classes} numbers from 0 to 1 (divide by the largest), not "
            f"{class_weights!r}"
        )
    share = active / np.maximum(active.sum(axis=-1, keepdims=True), 1)
    z = ((1 - smoothing) * y + smoothing * share) * weights
    return np.floor(np.ldexp(z, WEIGHT_FRACTION) + 0.5).astype(np.int64)
