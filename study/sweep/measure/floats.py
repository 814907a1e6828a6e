"""Float baselines: what casting input and output of a float64 softmax does to the rows of a source.

The arithmetic between is float64, so a baseline is the best that any unit with such a port can do.
"""

import numpy as np

from ....golden.config import SoftmaxConfig
from ....golden.measures.backward_metrics import BackwardMetrics
from ....golden.measures.catalogue import columns
from ....golden.measures.classes import Calibration, Classes, LossChange
from ....golden.measures.exact import exact_softmax
from ....golden.measures.metrics import Agreement, Metrics, Probabilities
from ....golden.measures.summary import largest_of, mean_of
from ....golden.types import Reals
from .classes import classes_of
from .float_formats import BASELINES, Rounding
from .softmax_backward import BackwardMeter, Powers
from .sources import Source
from .stage_results import StageResults

SCALED_FOR = SoftmaxConfig().grad_input
"""The format whose powers of two the gradients of a baseline are scaled by: their errors are in the
unit of the sweep's default."""


def baselines(source: Source, scale: float = 1.0) -> dict[str, dict[str, float]]:
    """The figures of every baseline on a source, by the names of :meth:`.measure.Meter.measure`.

    There are no bounds and no errors in ulp. Probabilities, losses and gradients dS are rounded as
    they come out, logits and dP as they go in; a unit of decimals takes its inputs unrounded. The
    gradients are of the rounded probabilities.

    Args:
        scale: factor of the logits, after they are rounded.
    """
    stages = StageResults(source.logits)
    return {name: _measure(source, stages, rounding, scale) for name, rounding in BASELINES.items()}


def _measure(
    source: Source, stages: StageResults, rounding: Rounding, scale: float
) -> dict[str, float]:
    layout, active = stages.layout, source.logits.active
    values = layout.flat(source.logits.values)
    logits = rounding.logits(source.logits.values)
    p = rounding.results(layout.flat(exact_softmax(logits * scale, active)))
    given = Probabilities(
        layout,
        p,
        stages.exact_of_logits(scale),
        np.abs(values) > rounding.largest,
        floor=rounding.smallest / 2,
    )
    best = layout.is_largest(values)
    figures = columns("softmax", Metrics.of(given), Agreement.of(given, best))
    if source.targets is not None:
        classes = classes_of(source, layout)
        figures |= columns("cross_entropy", _loss(classes, stages, rounding, logits, scale))
        figures |= columns("softmax", _calibration(classes, stages, p, scale))
    if source.has_gradients:
        figures |= columns("softmax_backward", *_gradients(source, stages, rounding, p, scale))
    return figures


def _loss(
    classes: Classes, stages: StageResults, rounding: Rounding, logits: Reals, scale: float
) -> LossChange:
    """Change of the mean loss; logits are padded."""
    exact = classes.losses(stages.rows.values * scale)
    rounded = rounding.results(classes.losses(logits * scale))
    # the mean of changes, each smaller than any digit of a mean loss
    return LossChange(mean_of(exact), mean_of(rounded - exact))


def _calibration(classes: Classes, stages: StageResults, p: Reals, scale: float) -> Calibration:
    return Calibration(classes.calibration(p), classes.calibration(stages.exact_of_logits(scale)))


def _gradients(
    source: Source, stages: StageResults, rounding: Rounding, p: Reals, scale: float
) -> tuple[BackwardMetrics, Powers]:
    """Error of the gradients, in the unit of :data:`SCALED_FOR`."""
    meter = BackwardMeter(source, stages)
    dp = meter.scaled(SCALED_FOR)
    exact = meter.exact(meter.of_all(stages.exact_of_logits(scale)), dp)
    unrounded = meter.exact(meter.of_all(p), rounding.logits(dp))
    beyond = np.maximum(np.abs(dp), np.abs(unrounded)) > rounding.largest
    metrics = BackwardMetrics(
        max_error_unclipped=largest_of(rounding.results(unrounded) - exact),
        saturated_share=mean_of(beyond),
    )
    return metrics, meter.powers(SCALED_FOR)
