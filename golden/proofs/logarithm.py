"""How far log p can be from the exact logarithm."""

from ..config import SoftmaxConfig
from ..formats import Format
from ..stages.ln import ln_error
from ..stages.log_probability import GUARD, LogProbability
from .datapaths import PROOFS
from .error_bound import ErrorBound
from .terms import Terms, relative_error, slack


def log_error_bound(config: SoftmaxConfig, output: Format) -> ErrorBound:
    """Errors of log p add up: of the sum, of its ln, of the scaled difference, of the rounding."""
    stage, terms = LogProbability.of(config, output), Terms.of(config)
    of_sum = PROOFS[config.datapath].sum_error(config, terms)
    low, high = ln_error(stage.ln)
    unit = 2.0**output.f
    step = config.scale * config.input.lsb * unit
    scaled = abs(stage.factor * 2.0**-stage.factor_fraction - step) * config.path.farthest
    floor = 2.0**-GUARD  # what dropping the scaled difference's low bits takes away at most
    above = (of_sum.max() + high) * unit + scaled
    below = (of_sum.min() + low) * unit - scaled - floor
    return ErrorBound(
        ulp=0.5 + float(max(above, -below)) + slack(config) * unit * config.max_length,
        exp_error=relative_error(terms, 0),
        reciprocal_error=(0.0, 0.0),
        worst_difference=config.path.farthest,
    )
