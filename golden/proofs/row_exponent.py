"""The error of p * 2**s, where a row has an exponent.

2**s is below Ŝ / ê of the row's largest element, so that an element whose exp is a share of the
largest one's has at most the error |ê (1 + rho) - e Ŝ / S| of that share: what is enumerated, and
how far sums can be off.
"""

import numpy as np

from ..config import SoftmaxConfig
from .datapaths import PROOFS
from .terms import Terms, slack


def scaled_error(config: SoftmaxConfig, terms: Terms, rho: tuple[float, float]) -> float:
    """Largest |p * 2**s - exact p * 2**s| before rounding; ``rho`` is the range of the reciprocal's
    relative error."""
    of_sum = np.exp(PROOFS[config.datapath].sum_error(config, terms))
    if config.path.origin is None:  # the largest element's exp is 1
        exact, rounded, largest = terms.exact, terms.rounded, 1.0
    else:  # any can be the largest
        rounded = terms.rounded / terms.exact
        exact, largest = np.ones_like(rounded), float(rounded.min())
    above = rounded * (1 + rho[1]) - exact * of_sum.min()
    below = exact * of_sum.max() - rounded * (1 + rho[0])
    far = float(terms.rounded[-1]) * (1 + rho[1]) if config.path.reach < config.path.farthest else 0
    worst = max(float(above.max()), float(below.max()), far)
    return (worst + slack(config)) / largest
