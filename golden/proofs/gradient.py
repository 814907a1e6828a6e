"""How far dS of the backward unit can be from the exact gradient."""

from ..config import SoftmaxConfig
from ..stages.gradient import Gradient


def backward_bound_ulp(config: SoftmaxConfig) -> float:
    """Proven worst-case error of dS in LSB of ``config.grad_output``, for any codes of P and dP.

    P (dP - D) errs by P times the rounding of D, and by its own rounding. Rows whose D saturates
    are marked by their status and left out; saturating dS, and its reference, adds nothing.
    """
    stage = Gradient.of(config)
    of_d = 0.5 * stage.dot.p.max_code * 2.0 ** (stage.output.f - stage.product_fraction)
    return (0.5 if stage.rounding == "nearest" else 1.0) + of_d
