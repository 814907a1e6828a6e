"""What the gradient units do to real rows: errors, and how gradients and losses look."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..proofs.bounds import loss_bound
from ..rows import LogitRows
from ..stages.dot import Dot
from ..types import Bits, Codes, Reals
from ..units.cross_entropy import LossRows
from ..units.softmax_backward import GradientRows
from .metrics import clipped_values, exact_softmax, largest_of, mean_of, within


@dataclass(frozen=True, slots=True)
class BackwardMetrics:
    """Two errors of dS, always told together, and what explains them; ``None`` of no element.

    Attributes:
        max_error_ulp: largest |dS - P (dP - D)| of the codes given, in output LSB; the exact value
            saturates as the output does. Rows whose D saturates are left out. Never above the
            proven bound.
        max_error_unclipped: largest |dS - float64 gradient of the original logits and dP|,
            absolute.
        clip_rate: share of active elements that the forward unit clipped.
        saturated_share: share of active elements that were saturated, or D of their row was.
        zero_share: share of active elements with gradient 0.
    """

    max_error_ulp: float | None
    max_error_unclipped: float | None
    clip_rate: float | None
    saturated_share: float | None
    zero_share: float | None


def exact_backward(p: Reals, dp: Reals) -> Reals:
    """P (dP - sum P dP) in float64; rows along the last axis."""
    return p * (dp - (p * dp).sum(axis=-1, keepdims=True))


def backward_error_ulp(
    result: GradientRows, p: Codes, dp: Codes, clipped: Bits, config: SoftmaxConfig
) -> Reals:
    """Gradients less the exact ones of the codes, in output LSB; 0 where D of the row saturates.

    Args:
        p, dp, clipped: as the unit got them, 0 where no element takes part.
    """
    output = config.grad_output
    exact = exact_backward(config.output.to_float(p), config.grad_input.to_float(dp))
    exact = np.clip(exact * 2.0**output.f, output.min_code, output.max_code)
    if config.clip_gradient == "zero":
        exact = np.where(clipped, 0.0, exact)
    _, beyond = Dot.of(config)(p, dp)
    return np.where(beyond, 0.0, result.ds - exact)


def measure_backward(
    result: GradientRows,
    p: Codes,
    dp: Codes,
    clipped: Bits,
    rows: LogitRows,
    dp_values: Reals,
    config: SoftmaxConfig,
) -> BackwardMetrics:
    """Measure a backward unit's result.

    Args:
        p, dp, clipped: as the unit got them; rows: the logits that p is of; dp_values: what dp was
            quantised from. All of one shape.
    """
    active = rows.active
    probabilities = exact_softmax(rows.values * config.scale, active)
    apart = config.grad_output.to_float(result.ds) - exact_backward(probabilities, dp_values)
    errors = backward_error_ulp(result, p, dp, clipped, config)
    _, beyond = Dot.of(config)(p, dp)
    return BackwardMetrics(
        max_error_ulp=largest_of(errors[active & ~beyond]),
        max_error_unclipped=largest_of(apart[active]),
        clip_rate=mean_of(clipped[active]),
        saturated_share=mean_of(result.saturated[active]),
        zero_share=mean_of((result.ds == 0)[active]),
    )


@dataclass(frozen=True, slots=True)
class LossMetrics:
    """Two errors of gradients and of losses, and what explains them.

    Rows without a loss, for their target is outside or masked, have no error; where no row has
    one, figures are ``None``.

    Attributes:
        max_error_ulp: largest |gradient - (p - y)|, p the exact softmax of the clipped codes, in
            gradient LSB; the exact value saturates as the gradient does, and is 0 where a clipped
            element has no gradient. Never above the proven bound.
        max_error_unclipped: largest |gradient - float64 gradient of the original logits|, absolute.
        loss_max_error_ulp: largest |loss - exact cross-entropy of the clipped codes|, in loss LSB.
        loss_bound_ulp: the proven bound of that.
        loss_max_error_unclipped: largest |loss - float64 loss of the original logits|, absolute.
        clip_rate: share of active elements that were clipped.
        zero_share: share of active elements with gradient 0.
        ignored_rows: rows whose target is outside. masked_targets: rows whose target is masked.
        mean_loss: over the rows with a loss.
    """

    max_error_ulp: float | None
    max_error_unclipped: float | None
    loss_max_error_ulp: float | None
    loss_bound_ulp: float
    loss_max_error_unclipped: float | None
    clip_rate: float | None
    zero_share: float | None
    ignored_rows: int
    masked_targets: int
    mean_loss: float | None

    @property
    def loss_bound_kept(self) -> bool:
        """Whether no loss is further off than was proven."""
        return within(self.loss_max_error_ulp, self.loss_bound_ulp)


def exact_cross_entropy(values: Reals, active: Bits, target: Codes) -> tuple[Reals, Reals]:
    """(loss, gradient) in float64 of rows of logits, whose targets are active elements."""
    top = np.where(active, values, -np.inf).max(axis=-1, keepdims=True, initial=-1e300)
    total = np.where(active, np.exp(np.minimum(values - top, 0)), 0).sum(axis=-1, keepdims=True)
    place = target[:, None]
    loss = np.log(np.where(total > 0, total, 1)) + top - np.take_along_axis(values, place, axis=1)
    hot = np.arange(values.shape[1]) == place
    return loss[:, 0], exact_softmax(values, active) - hot


def loss_error_ulp(
    result: LossRows, codes: Codes, active: Bits, target: Codes, config: SoftmaxConfig
) -> tuple[Reals, Reals]:
    """(of the losses, of the gradients): less the exact ones of the clipped codes, in their LSB.

    0 for rows without a loss, and for elements that are not active.
    """
    given = ~(result.ignored | result.error)
    values = clipped_values(codes, active, config)
    loss, gradient = exact_cross_entropy(values, active, np.where(given, target, 0))
    held = config.loss_grad
    gradient = np.clip(gradient * 2.0**held.f, held.min_code, held.max_code)
    if config.clip_gradient == "zero":
        gradient = np.where(result.clipped, 0.0, gradient)
    loss = np.minimum(loss * 2.0**config.loss.f, config.loss.max_code)
    return (
        np.where(given, result.loss - loss, 0.0),
        np.where(given[:, None] & active, result.grad - gradient, 0.0),
    )


def measure_loss(
    result: LossRows, rows: LogitRows, target: Codes, config: SoftmaxConfig
) -> LossMetrics:
    """Measure a cross-entropy unit's result for ``rows``, of the same shape."""
    active, given = rows.active, ~(result.ignored | result.error)
    of_loss, of_gradient = loss_error_ulp(result, rows.codes(config), active, target, config)
    values = rows.values * config.scale
    loss, gradient = exact_cross_entropy(values, active, np.where(given, target, 0))
    losses = config.loss.to_float(result.loss)
    counted = given[:, None] & active
    apart = (config.loss_grad.to_float(result.grad) - gradient)[counted]
    return LossMetrics(
        max_error_ulp=largest_of(of_gradient[counted]),
        max_error_unclipped=largest_of(apart),
        loss_max_error_ulp=largest_of(of_loss[given]),
        loss_bound_ulp=loss_bound(config).ulp,
        loss_max_error_unclipped=largest_of((losses - loss)[given]),
        clip_rate=mean_of(result.clipped[active]),
        zero_share=mean_of((result.grad == 0)[active]),
        ignored_rows=int(result.ignored.sum()),
        masked_targets=int(result.error.sum()),
        mean_loss=mean_of(losses[given]),
    )
