"""The figures of rows that a unit has answered, in one call."""

from softmaxfx.golden.measures.backward_metrics import BackwardMetrics, gradients
from softmaxfx.golden.measures.loss_metrics import LossMetrics, cross_entropies
from softmaxfx.golden.proofs.loss import loss_bound


def measure_backward(*given) -> BackwardMetrics:
    """Of a backward unit; arguments as of :func:`gradients`."""
    return BackwardMetrics.of(gradients(*given))


def measure_loss(result, rows, target, config) -> LossMetrics:
    """Of a cross-entropy unit; arguments as of :func:`cross_entropies`."""
    given = cross_entropies(result, rows, target, config)
    return LossMetrics.of(given, config, loss_bound(config).ulp)
