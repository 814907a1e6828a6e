"""What the cross-entropy unit of a configuration does to the rows of a source with classes."""

import numpy as np

from ....golden.config import SoftmaxConfig
from ....golden.formats import saturate
from ....golden.measures.metrics import clipped_values
from ....golden.stages.loss import loss_stage
from ....golden.stages.residual import residual_stage
from ....golden.types import Codes, Reals
from .classes import Classes
from .kept import Kept
from .known import known
from .sources import Source
from .stages import MOST, Stages, clipped_key


class LossMeter:
    """Measures losses, their gradients, and the calibration of the probabilities."""

    def __init__(self, source: Source, stages: Stages) -> None:
        self._stages, self._classes = stages, Classes(source, stages.layout)
        self._of_codes: Kept[Reals] = Kept(MOST)
        self._of_logits: Kept[tuple[float, float | None]] = Kept(MOST)

    def measure(self, config: SoftmaxConfig) -> dict[str, float]:
        """The figures of one configuration; nothing where no row has a loss.

        Raises:
            ConfigError: a loss format that cannot hold the largest loss.
        """
        stages, classes = self._stages, self._classes
        stage, given, held = loss_stage(config), stages.exponentials(config), config.loss
        if not classes.rows.size:
            return {}
        distance = given.elements.distance[classes.place]
        codes = stage(distance, given.total[classes.rows, 0])
        exact = np.minimum(self._exact_losses(config) * 2.0**held.f, held.max_code)
        loss_float, ece_float = self._float_figures(config.scale)
        ece = classes.calibration(config.output.to_float(stages.probabilities(config)))
        return {
            "loss_float": loss_float,
            "loss_change": float(held.to_float(codes).mean()) - loss_float,
            **known({"ece": ece, "ece_float": ece_float}),
            "loss_max_error_ulp": float(np.abs(codes - exact).max()),
            "loss_grad_max_error_ulp": self._gradient_error(config),
        }

    def gradients(self, config: SoftmaxConfig) -> Codes:
        """The unit's gradients of the rows with a loss, their active elements only."""
        stage, given = residual_stage(config), self._stages.exponentials(config)
        layout, chosen = self._stages.layout, self._classes.elements
        r, q = (layout.spread(part[:, 0])[chosen] for part in stage.reciprocal(given.total))
        p = stage.normalize(given.elements.mantissa[chosen], given.elements.shift[chosen], r, q)
        # a class of weight 1 leaves nothing to round
        whole = p - (self._classes.hot[chosen].astype(np.int64) << config.output.f)
        gradient = saturate(whole, stage.output.min_code, stage.output.max_code)
        dropped = given.clipped[chosen] & (config.clip_gradient == "zero")
        return np.where(dropped, 0, gradient)

    def _gradient_error(self, config: SoftmaxConfig) -> float:
        """Largest distance from the exact gradient of the clipped codes, in LSB."""
        chosen, held = self._classes.elements, config.loss_grad
        exact = (self._stages.exact_of_codes(config) - self._classes.hot)[chosen]
        exact = np.clip(exact * 2.0**held.f, held.min_code, held.max_code)
        if config.clip_gradient == "zero":
            exact = np.where(self._stages.exponentials(config).clipped[chosen], 0.0, exact)
        return float(np.abs(self.gradients(config) - exact).max())

    def _exact_losses(self, config: SoftmaxConfig) -> Reals:
        """Exact losses of the clipped codes, in nats."""
        active = self._stages.rows.active

        def compute() -> Reals:
            codes = self._stages.codes(config)
            return self._classes.loss(clipped_values(codes, active, config))

        return self._of_codes.of(clipped_key(config), compute)

    def _float_figures(self, scale: float) -> tuple[float, float | None]:
        """(mean loss, calibration error) of float64 on the original logits."""

        def compute() -> tuple[float, float | None]:
            losses = self._classes.loss(self._stages.rows.values * scale)
            calibration = self._classes.calibration(self._stages.exact_of_logits(scale))
            return float(losses.mean()), calibration

        return self._of_logits.of(scale, compute)
