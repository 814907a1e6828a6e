"""The error of p where the sum loses nothing.

The sum errs by nothing but its terms, wherever in the range they lie, and by the parts of terms
that a window drops. Of a row's elements, one has the relative error delta and the share p, the
others have errors between the least and the largest of all codes.
"""

from functools import lru_cache
from math import sqrt

import numpy as np

from ..config import SoftmaxConfig
from ..stages.exp import exp_table
from ..stages.window import LIMB_BITS
from ..types import Reals
from .terms import Terms, Worst, slack


def worst_of(config: SoftmaxConfig, terms: Terms, rho: tuple[float, float]) -> Worst:
    """The largest error of p; ``rho`` is the range of the reciprocal's relative error.

    p (1 + delta) (1 + rho) / (1 + p delta + (1 - p) delta') - p rises with delta and rho and falls
    with the others' delta': its extremes are those of all three, at the worst share p.
    """
    relative, unsure = terms.rounded / terms.exact - 1, slack(config)
    low, high = float(relative.min()) - unsure, float(relative.max()) + unsure
    # a sum that lacks a share gives as much more
    above = _largest_over_shares(high, low, (1 + rho[1]) / (1 - most_dropped(config)) - 1)
    below = _largest_over_shares(low, high, rho[0])
    place = relative.argmax() if above > below else relative.argmin()
    return Worst(max(above, below), int(place) + config.path.nearest, (low, high))


def sum_error(config: SoftmaxConfig, terms: Terms) -> Reals:
    """Relative errors of a row's sum, among them the least and the largest, as logarithms."""
    of_terms = np.log(terms.summed / terms.exact)
    return np.append(of_terms, of_terms.min() + np.log1p(-most_dropped(config)))


@lru_cache(maxsize=256)
def most_dropped(config: SoftmaxConfig) -> float:
    """The largest share of a row's sum that its window drops.

    With limb T the highest in which a mantissa starts, and everything in units of limb T - 2: of a
    mantissa that starts in that limb, the lower part is dropped; one that starts below is dropped
    whole, and is largest one limb below. The sum is at least what starts in limb T.
    """
    if not config.path.window:
        return 0.0
    stage = exp_table(config)
    mantissa, shift = stage(np.arange(config.path.nearest, config.path.reach + 1))
    moved = mantissa << ((config.path.largest_shift - shift) % LIMB_BITS)
    dropped = max((1 << LIMB_BITS) - 1, -(-int(moved.max()) >> LIMB_BITS))
    least = int(moved.min()) << (2 * LIMB_BITS)
    return (config.max_length - 1) * dropped / least


def _largest_over_shares(own: float, others: float, rho: float) -> float:
    """Largest |p a / (b + c p) - p| over p in [0, 1]: at 1, or where the derivative vanishes."""
    a, b, c = (1 + own) * (1 + rho), 1 + others, own - others
    shares = [1.0]
    if c != 0:
        shares.append(min(max((sqrt(a * b) - b) / c, 0.0), 1.0))
    return max(abs(p * a / (b + c * p) - p) for p in shares)
