"""How often the largest logit stays the largest, and how sure that share is."""

from math import sqrt

from ..types import Codes

QUANTILE = 1.959963984540054
"""Of the normal distribution, for an interval that holds 95 %."""


def top1_share(hits: Codes, drawn: Codes) -> float:
    """Share of the rows whose largest logit wins, ties shared out.

    A row counts for the share of its largest outputs that belong to a largest logit: the
    probability that one of them, drawn at random, does.

    Args:
        hits, drawn: of each row, the largest outputs: those of a largest logit, and all of them.
    """
    return float((hits / drawn).mean())


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``count`` independent trials.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    Unlike the normal interval it stays inside [0, 1] and has a width at a share of 0 or 1.
    """
    if count == 0:
        return 0.0, 1.0
    square = QUANTILE**2 / count
    middle = (share + square / 2) / (1 + square)
    half = QUANTILE / (1 + square) * sqrt(share * (1 - share) / count + square / (4 * count))
    return max(middle - half, 0.0), min(middle + half, 1.0)
