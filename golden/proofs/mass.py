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
    return max(max(high, -low) + _rounded_away(config, 1 + high), missing)


def _rounded_away(config: SoftmaxConfig, total: float) -> float:
    """The most that rounding takes of a sum of probabilities, or adds to it."""
    halves = config.max_length * config.output.lsb / 2
    if not config.has_exponent:
        return min(halves, total)
    # with exponent s, the largest is at least 2**-(s + 1), but for what further exp tables take
    largest = 2.0 ** -(1 + leading_zeros(config))
    return max(
        min(halves * 2.0**-s, total - largest * 2.0**-s) for s in range(config.most_exponent + 1)
    )
