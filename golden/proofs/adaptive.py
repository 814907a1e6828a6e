"""How far the loss of an adaptive softmax can be from the exact one."""

from dataclasses import replace

from ..config import SoftmaxConfig
from ..errors import require
from ..formats import MAX_WIDTH
from .error_bound import ErrorBound
from .loss import loss_bound

MAX_CLUSTERS = 8
"""Most clusters of a unit, the head counted."""
MAX_ID_WIDTH = 28
"""Most bits of a tid: with the request that a row answers, it is one of 32 bits in the core."""


def adaptive_bound(config: SoftmaxConfig) -> ErrorBound:
    """Prove the worst-case error of a token's loss, in LSB of ``config.adaptive_loss``.

    The loss is the exact sum of two cross-entropies, so their errors add up. A word of the head has
    one of them alone. A log-probability is the loss with another sign, and as far off.

    Raises:
        ConfigError: a loss that its format cannot hold, or ``log_softmax``.
    """
    require(
        config.loss.width < MAX_WIDTH,
        f"loss must be narrower than {MAX_WIDTH} bits, so that two of them add up, not "
        f"{config.loss}",
    )
    of_row = loss_bound(config)
    return replace(of_row, ulp=2 * of_row.ulp)


def require_fitting(config: SoftmaxConfig) -> None:
    """Refuse clusters that a unit of a configuration does not hold.

    Raises:
        ConfigError: more than ``MAX_CLUSTERS``, a row longer than ``max_length``, ``log_softmax``,
            ids that leave no room for a row's request, or rows that would come twice.
    """
    require(
        config.function == "softmax",
        f"function must be softmax for adaptive_softmax, not {config.function}",
    )
    require(
        config.id_width <= MAX_ID_WIDTH,
        f"id_width must be at most {MAX_ID_WIDTH} for adaptive_softmax, not {config.id_width}",
    )
    clusters, longest = config.clusters, config.max_length
    require(
        not config.two_passes,
        f"buffer_length must be max_length = {longest} or not be given for adaptive_softmax, whose "
        f"rows come once, not {config.buffer_length}",
    )
    require(
        clusters.tails < MAX_CLUSTERS,
        f"cutoffs must be at most {MAX_CLUSTERS - 1}, one a tail, not {clusters.tails}",
    )
    require(
        clusters.head_length <= longest,
        f"cutoffs must leave the head at most max_length = {longest} elements, not "
        f"{clusters.head_length} ({clusters.shortlist} words and {clusters.tails} tails)",
    )
    for tail, length in enumerate(clusters.lengths[1:], 1):
        require(
            length <= longest,
            f"cutoffs must leave every tail at most max_length = {longest} words, not {length} "
            f"(tail {tail})",
        )
