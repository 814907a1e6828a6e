"""One number of many; ``None`` of nothing, for 0 would read as perfect."""

import numpy as np
import numpy.typing as npt

from ..types import Codes, Reals


def mean_of(values: npt.NDArray[np.generic]) -> float | None:
    """The mean; ``None`` of nothing."""
    return float(values.mean()) if values.size else None


def largest_of(errors: Reals | Codes) -> float | None:
    """The largest absolute error; ``None`` of nothing."""
    return float(np.abs(errors).max()) if errors.size else None


def within(error: float | None, bound: float) -> bool:
    """Whether an error keeps its bound; where there is none, it does."""
    return error is None or error <= bound
