"""What probabilities look like beside those of float64, whatever gave them."""

import numpy as np

from ....golden.types import Bits, Reals
from .ragged import Ragged
from .top1 import top1_share, wilson


def compare(
    p: Reals, exact: Reals, *, floor: float, best: Bits, layout: Ragged
) -> dict[str, float]:
    """The figures of probabilities that need no configuration; most are golden.metrics' own.

    Args:
        p: probabilities, flat. exact: those of float64.
        floor: what a probability of 0 counts as in the divergence.
        best: elements that are the largest logit of their row.
    """
    apart = np.abs(p - exact)
    sums, winners = layout.real_sums(p), layout.is_largest(p)
    share = top1_share(best, winners, layout)
    low, high = wilson(share, layout.filled.size)
    return {
        "max_error_unclipped": float(apart.max()),
        "mean_error_unclipped": float(apart.mean()),
        "kl": float(divergence(exact, p, floor, layout).mean()),
        "sum_min": float(sums.min()),
        "sum_mean": float(sums.mean()),
        "zero_share": float((p == 0).mean()),
        "tie_rate": float((layout.sums(winners) > 1).mean()),
        "top1": share,
        "top1_low": low,
        "top1_high": high,
    }


def divergence(exact: Reals, p: Reals, floor: float, layout: Ragged) -> Reals:
    """KL(exact || p) of every row in nats, (R,): p floored, and normalised again."""
    floored = np.maximum(p, floor)
    total = layout.real_sums(floored)
    normalised = floored / layout.spread(total)
    # where exact is 0, the term is 0 times a finite number
    return layout.real_sums(exact * np.log(np.where(exact > 0, exact, 1) / normalised))
