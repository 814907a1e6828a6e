"""The error of p where the sum loses nothing.

The sum errs by nothing but its terms, wherever in the range they lie. Of a row's elements, one
has the relative error delta and the share p, the others have errors between the least and the
largest of all codes.
"""

from math import sqrt

import numpy as np

from ..config import SoftmaxConfig
from ..types import Reals
from .terms import SLACK, Terms, Worst


def worst_of(config: SoftmaxConfig, terms: Terms, rho: tuple[float, float]) -> Worst:
    """The largest error of p; ``rho`` is the range of the reciprocal's relative error.

    p (1 + delta) (1 + rho) / (1 + p delta + (1 - p) delta') - p rises with delta and rho and falls
    with the others' delta': its extremes are those of all three, at the worst share p.
    """
    relative = terms.rounded / terms.exact - 1
    low, high = float(relative.min()) - SLACK, float(relative.max()) + SLACK
    above = _largest_over_shares(high, low, rho[1])
    below = _largest_over_shares(low, high, rho[0])
    place = relative.argmax() if above > below else relative.argmin()
    return Worst(max(above, below), int(place) + config.path.nearest, (low, high))


def sum_error(config: SoftmaxConfig, terms: Terms) -> Reals:
    """Relative errors of a row's sum, among them the least and the largest, as logarithms."""
    return np.log(terms.summed / terms.exact)


def _largest_over_shares(own: float, others: float, rho: float) -> float:
    """Largest |p a / (b + c p) - p| over p in [0, 1]: at 1, or where the derivative vanishes."""
    a, b, c = (1 + own) * (1 + rho), 1 + others, own - others
    shares = [1.0]
    if c != 0:
        shares.append(min(max((sqrt(a * b) - b) / c, 0.0), 1.0))
    return max(abs(p * a / (b + c * p) - p) for p in shares)
