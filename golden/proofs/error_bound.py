"""What is proven of a unit's error."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorBound:
    """A proven error bound and what it is made of.

    Attributes:
        ulp: largest |p - min(softmax, largest output)|, in output LSB.
        exp_error: range of the relative error of exp; in ``max_subtract`` over the distances
            whose exp is at least one output LSB.
        reciprocal_error: range of the relative error of the reciprocal.
        worst_difference: the distance, in input LSB, at which the bound is reached.
    """

    ulp: float
    exp_error: tuple[float, float]
    reciprocal_error: tuple[float, float]
    worst_difference: int
