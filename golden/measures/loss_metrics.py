"""What the cross-entropy unit does to real rows: errors, and how losses and gradients look."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..rows import LogitRows
from ..types import Bits, Codes, Reals
from ..units.cross_entropy import LossRows
from .classes import Classes
from .exact import apart_ulp, clipped_values, exact_softmax
from .ragged import Ragged
from .summary import largest_of, mean_of, within


@dataclass(frozen=True, eq=False, slots=True)
class Exact:
    """What the unit's function is in float64, of some values of the logits.

    Attributes:
        losses: in nats, of the rows with one. p: probabilities, flat.
    """

    losses: Reals
    p: Reals

    @classmethod
    def of(cls, values: Reals, classes: Classes) -> "Exact":
        """Of padded values."""
        layout = classes.layout
        return cls(classes.losses(values), layout.flat(exact_softmax(values, layout.rows.active)))


@dataclass(frozen=True, eq=False, slots=True)
class CrossEntropies:
    """Losses and gradients of rows, and what they are held against.

    Attributes:
        losses: codes, of the rows with a loss. gradients: codes, of the active elements of these.
        clipped: flat, of all rows.
        one: what the gradients of each of these elements are multiplied by.
        of_codes: exact for the clipped codes. of_logits: of float64, of the original logits.
    """

    classes: Classes
    losses: Codes
    gradients: Codes
    clipped: Bits
    one: Reals
    of_codes: Exact
    of_logits: Exact

    def loss_errors(self, config: SoftmaxConfig) -> Reals:
        """Losses less the exact ones, in loss LSB; those saturate as the loss does."""
        fmt = config.loss
        return apart_ulp(self.losses, self.of_codes.losses, fmt.f, (-np.inf, fmt.max_code))

    def errors(self, config: SoftmaxConfig) -> Reals:
        """Gradients less p - y, in gradient LSB; that saturates as the gradient does."""
        exact, fmt = self._gradients(self.of_codes), config.loss_grad
        if config.clip_gradient == "zero":
            exact = np.where(self.clipped[self.classes.elements], 0.0, exact)
        return apart_ulp(self.gradients, exact * self.one, fmt.f, (fmt.min_code, fmt.max_code))

    def apart(self, config: SoftmaxConfig) -> Reals:
        """Gradients less those of float64."""
        return config.loss_grad.to_float(self.gradients) / self.one - self._gradients(
            self.of_logits
        )

    def _gradients(self, exact: Exact) -> Reals:
        """p - y of the rows with a loss."""
        return (exact.p - self.classes.hot)[self.classes.elements]


@dataclass(frozen=True, slots=True)
class LossMetrics:
    """Two errors of gradients and of losses, and what explains them.

    Rows without a loss, for their target is outside or masked, have no error; where no row has
    one, figures are ``None``. :mod:`.catalogue` says what each figure means.
    """

    max_error_ulp: float | None
    max_error_unclipped: float | None
    loss_max_error_ulp: float | None
    loss_bound_ulp: float | None
    loss_max_error_unclipped: float | None
    clip_rate: float | None
    zero_share: float | None
    ignored_rows: int
    masked_targets: int
    mean_loss: float | None

    @classmethod
    def of(cls, given: CrossEntropies, config: SoftmaxConfig, bound: float | None) -> "LossMetrics":
        """Of losses and gradients.

        Args:
            bound: the proven one of the loss, in loss LSB, where it is known.
        """
        classes, losses = given.classes, config.loss.to_float(given.losses)
        zeros = np.ones(given.clipped.shape, bool)  # where there is no loss, there is no gradient
        zeros[classes.elements] = given.gradients == 0
        return cls(
            max_error_ulp=largest_of(given.errors(config)),
            max_error_unclipped=largest_of(given.apart(config)),
            loss_max_error_ulp=largest_of(given.loss_errors(config)),
            loss_bound_ulp=bound,
            loss_max_error_unclipped=largest_of(losses - given.of_logits.losses),
            clip_rate=mean_of(given.clipped),
            zero_share=mean_of(zeros),
            ignored_rows=classes.outside,
            masked_targets=classes.masked,
            mean_loss=mean_of(losses),
        )

    @property
    def loss_bound_kept(self) -> bool:
        """Whether no loss is further off than was proven."""
        return self.loss_bound_ulp is None or within(self.loss_max_error_ulp, self.loss_bound_ulp)


def cross_entropies(
    result: LossRows, rows: LogitRows, target: Codes, config: SoftmaxConfig
) -> CrossEntropies:
    """A cross-entropy unit's result for ``rows``, of the same shape, and what it is held against.

    Args:
        target: class index of each row, (rows,).
    """
    layout = Ragged(rows)
    classes = Classes(layout, target)
    clipped = clipped_values(rows.codes(config), rows.active, config)
    return CrossEntropies(
        classes,
        result.loss[classes.rows],
        layout.flat(result.grad)[classes.elements],
        layout.flat(result.clipped),
        layout.spread(np.ldexp(1.0, result.exponent))[classes.elements],
        Exact.of(clipped, classes),
        Exact.of(rows.values * config.scale, classes),
    )
