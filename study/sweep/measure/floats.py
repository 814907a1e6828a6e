"""Float baselines: what casting input and output of a float64 softmax does to the rows of a source.

The arithmetic between is float64, so a baseline is the best that any unit with such a port can do.
"""

import numpy as np

from ....golden.config import SoftmaxConfig
from ....golden.measures.metrics import exact_softmax, mean_of
from ....golden.types import Reals
from .backward import BackwardMeter
from .classes import Classes
from .distribution import compare
from .float_formats import BASELINES, Rounding
from .known import known
from .sources import Source
from .stages import Stages

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
    stages = Stages(source.logits)
    return {name: _measure(source, stages, rounding, scale) for name, rounding in BASELINES.items()}


def _measure(source: Source, stages: Stages, rounding: Rounding, scale: float) -> dict[str, float]:
    layout, active = stages.layout, source.logits.active
    logits = rounding.logits(source.logits.values)
    p = rounding.results(layout.flat(exact_softmax(logits * scale, active)))
    clipped = np.abs(layout.flat(source.logits.values)) > rounding.largest
    figures = {
        "clip_rate": float(clipped.mean()),
        **compare(
            p,
            stages.exact_of_logits(scale),
            floor=rounding.smallest / 2,
            best=layout.is_largest(layout.flat(source.logits.values)),
            layout=layout,
        ),
    }
    if source.targets is not None:
        figures |= _loss(Classes(source, layout), stages, rounding, logits, p, scale)
    if source.has_gradients:
        figures |= _backward(source, stages, rounding, p, scale)
    return figures


def _loss(
    classes: Classes, stages: Stages, rounding: Rounding, logits: Reals, p: Reals, scale: float
) -> dict[str, float]:
    """Change of the mean loss, and the calibration; logits are padded, p is flat."""
    exact = classes.loss(stages.rows.values * scale)
    rounded = rounding.results(classes.loss(logits * scale))
    return known(
        {
            "loss_float": mean_of(exact),
            "loss_change": mean_of(rounded - exact),
            "ece": classes.calibration(p),
            "ece_float": classes.calibration(stages.exact_of_logits(scale)),
        }
    )


def _backward(
    source: Source, stages: Stages, rounding: Rounding, p: Reals, scale: float
) -> dict[str, float]:
    """Error of the gradients, in the unit of :data:`SCALED_FOR`."""
    meter = BackwardMeter(source, stages)
    dp = meter.scaled(SCALED_FOR)
    exact = meter.exact(meter.of_all(stages.exact_of_logits(scale)), dp)
    unrounded = meter.exact(meter.of_all(p), rounding.logits(dp))
    beyond = np.maximum(np.abs(dp), np.abs(unrounded)) > rounding.largest
    powers = source.powers(SCALED_FOR)[source.with_gradients]
    return {
        "backward_max_error_unclipped": float(np.abs(rounding.results(unrounded) - exact).max()),
        "backward_saturated_share": float(beyond.mean()),
        "backward_power_min": int(powers.min()),
        "backward_power_max": int(powers.max()),
    }
