"""What the cross-entropy unit of a configuration does to the rows of a source with classes."""

import numpy as np

from ....golden.config import SoftmaxConfig
from ....golden.formats import saturate
from ....golden.measures.catalogue import columns
from ....golden.measures.classes import Calibration, LossChange
from ....golden.measures.exact import clipped_values
from ....golden.measures.loss_metrics import CrossEntropies, Exact, LossMetrics
from ....golden.measures.summary import mean_of
from ....golden.stages.loss import loss_stage
from ....golden.stages.residual import residual_stage
from ....golden.types import Codes, Reals
from .classes import classes_of
from .kept import Kept
from .sources import Source
from .stage_results import MOST, StageResults, clipped_key


class LossMeter:
    """Measures losses, their gradients, and the calibration of the probabilities."""

    def __init__(self, source: Source, stages: StageResults) -> None:
        self._stages, self._classes = stages, classes_of(source, stages.layout)
        self._of_codes: Kept[Reals] = Kept(MOST)
        self._of_logits: Kept[Reals] = Kept(MOST)
        self._ece_float: Kept[float | None] = Kept(MOST)

    def measure(self, config: SoftmaxConfig) -> dict[str, float]:
        """The figures of one configuration; nothing where no row has a loss.

        Raises:
            ConfigError: a loss format that cannot hold the largest loss.
        """
        stages, classes, stage = self._stages, self._classes, loss_stage(config)
        if not classes.rows.size:
            return {}
        given = stages.exponentials(config)
        metrics = LossMetrics.of(
            CrossEntropies(
                classes,
                stage(given.elements.distance[classes.place], given.total[classes.rows, 0]),
                self.gradients(config),
                given.clipped,
                stages.ones(config)[classes.elements],
                Exact(self._exact_losses(config), stages.exact_of_codes(config)),
                Exact(self._float_losses(config.scale), stages.exact_of_logits(config.scale)),
            ),
            config,
            None,
        )
        change = LossChange.of(metrics.mean_loss, mean_of(self._float_losses(config.scale)))
        calibration = self._calibration(config)
        return columns("cross_entropy", metrics, change) | columns("softmax", calibration)

    def gradients(self, config: SoftmaxConfig) -> Codes:
        """The unit's gradients of the rows with a loss, their active elements only."""
        stage, given = residual_stage(config), self._stages.exponentials(config)
        layout, chosen = self._stages.layout, self._classes.elements
        r, q = (layout.spread(part[:, 0])[chosen] for part in stage.reciprocal(given.total))
        exponent = layout.spread(self._stages.exponents(config))[chosen]
        p = stage.normalize(
            given.elements.mantissa[chosen], given.elements.shift[chosen], r, q - exponent
        )
        # a class of weight 1 leaves nothing to round
        whole = p - (self._classes.hot[chosen].astype(np.int64) << config.output.f + exponent)
        gradient = saturate(whole, stage.output.min_code, stage.output.max_code)
        dropped = given.clipped[chosen] & (config.clip_gradient == "zero")
        return np.where(dropped, 0, gradient)

    def _calibration(self, config: SoftmaxConfig) -> Calibration:
        p = config.output.to_float(self._stages.probabilities(config)) / self._stages.ones(config)
        return Calibration(self._classes.calibration(p), self._float_calibration(config.scale))

    def _exact_losses(self, config: SoftmaxConfig) -> Reals:
        """Exact losses of the clipped codes, in nats."""
        active = self._stages.rows.active

        def compute() -> Reals:
            codes = self._stages.codes(config)
            return self._classes.losses(clipped_values(codes, active, config))

        return self._of_codes.of(clipped_key(config), compute)

    def _float_losses(self, scale: float) -> Reals:
        """Losses of float64 on the original logits, in nats."""
        return self._of_logits.of(
            scale, lambda: self._classes.losses(self._stages.rows.values * scale)
        )

    def _float_calibration(self, scale: float) -> float | None:
        """Calibration error of float64 on the original logits."""
        return self._ece_float.of(
            scale, lambda: self._classes.calibration(self._stages.exact_of_logits(scale))
        )
