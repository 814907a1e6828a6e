"""How far the sum of a row's probabilities can be from 1.

Before rounding, probabilities of a row sum to 1 but for what its reciprocal is off and what its sum
lacks of its terms. Rounding half up moves each by half an LSB at most, and takes no more than there
is: the many small ones of a long row are lost whole. Where rows have an exponent, their LSB is the
finer the smaller the row's largest one, which is never lost.
"""

from math import expm1

from ..config import SoftmaxConfig
from ..stages.accumulate import leading_zeros
from .bounds import bound_ulp
from .exact_sum import most_dropped
from .reciprocal import reciprocal_error


def mass_bound(config: SoftmaxConfig) -> float:
    """Proven: |sum p - 1| of no row of up to ``max_length`` elements exceeds it, p being the exp of
    what comes out for ``log_softmax``; rows without an active element aside."""
    if config.function == "log_softmax":
        return expm1(bound_ulp(config) * config.output.lsb)
    low, high = reciprocal_error(config)
    if config.path.origin is None:
        high = (1 + high) * (1 + config.max_length * 2.0**-config.widths.sum_fraction) - 1
    else:
        high = (1 + high) / (1 - most_dropped(config)) - 1
    # p = 1 has no code where the output has no integer bit
    missing = config.output.lsb if config.output.i == 0 else 0.0
    # what further exp tables take of the largest element's exp, they take of its share
    rounded = config.mass_rounded_away(1 + high, 2.0 ** -(1 + leading_zeros(config)))
    return max(max(high, -low) + rounded, missing)
