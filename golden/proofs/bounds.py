"""The proven worst-case error of a probability, over every row it can be given.

With e the exact exponentials of a row's clipped codes, S their sum, and a hat on what the hardware
computes, an output is p = e / S and the unrounded result is ê (1 + rho) / Ŝ. Three facts bound it:

* exp is enumerated: every distance gives its pair (e, ê) and the term that the sum sees. Beyond
  the reach the sum sees nothing, and e only falls towards 0.
* The reciprocal is enumerated: every table input, at both ends of the interval of sums that share
  it, gives the range of rho.
* How far Ŝ is from S is the datapath's: :mod:`.max_subtract`, :mod:`.exact_sum`.

Where rows have an exponent, errors are in LSB of the row's own scale: :mod:`.row_exponent`.
Rounding the output adds half an LSB. Clamping p and its reference to the same largest code cannot
increase their distance, so nothing is left out. The float64 values of e carry an error of their
own, which is added as slack.
"""

from functools import lru_cache

from ..config import SoftmaxConfig
from ..stages.probability import output_stage
from .datapaths import PROOFS
from .error_bound import ErrorBound
from .logarithm import log_error_bound
from .reciprocal import reciprocal_error
from .row_exponent import scaled_error
from .terms import Terms, slack


def bound_ulp(config: SoftmaxConfig) -> float:
    """Proven worst-case error of ``config`` in output LSB; see :class:`ErrorBound`."""
    return error_bound(config).ulp


@lru_cache(maxsize=64)
def error_bound(config: SoftmaxConfig) -> ErrorBound:
    """Prove the worst-case error of a configuration (seconds; 24-bit inputs take longest)."""
    output_stage(config)  # refuses widths that cannot work
    if config.function == "log_softmax":
        return log_error_bound(config, config.output)
    rho = reciprocal_error(config)
    terms = Terms.of(config)
    worst = PROOFS[config.datapath].worst_of(config, terms, rho)
    error = worst.error
    if config.has_exponent:
        error = max(error, scaled_error(config, terms, rho))
    return ErrorBound(
        ulp=0.5 + (error + slack(config)) * 2**config.output.f,
        exp_error=worst.exp_error,
        reciprocal_error=rho,
        worst_difference=worst.distance,
    )
