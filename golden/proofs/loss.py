"""How far the cross-entropy of a row can be from the exact one."""

from functools import lru_cache

from ..config import SoftmaxConfig
from ..stages.loss import loss_stage
from .error_bound import ErrorBound
from .logarithm import log_error_bound


@lru_cache(maxsize=64)
def loss_bound(config: SoftmaxConfig) -> ErrorBound:
    """Prove the worst-case error of the cross-entropy, in LSB of ``config.loss``.

    The loss of a class is -log p, its error that of log p; clamping it to 0 takes nothing from its
    exact value, which is never negative.

    Raises:
        ConfigError: a loss that the format cannot hold, or ``log_softmax``.
    """
    return log_error_bound(config, loss_stage(config).output)
