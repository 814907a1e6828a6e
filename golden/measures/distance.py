"""How far the results of a float reference are from the golden model's."""

from dataclasses import dataclass

import numpy as np

from ..types import Codes, Reals
from .exact import apart_ulp


@dataclass(frozen=True, slots=True)
class Distance:
    """Over the active elements; :mod:`.catalogue` says what each figure means."""

    max_ulp: float
    mean_ulp: float
    to_float64: float

    @classmethod
    def of(
        cls, codes: Codes, gold: Reals, exact: Reals, fraction: int, limits: tuple[int, int]
    ) -> "Distance | None":
        """Between codes of ``fraction`` fraction bits and reals, all of one shape.

        ``None`` where there are none, or where the reference gives something that is no number.

        Args:
            gold: what the reference gives; beyond ``limits``, in output LSB, it becomes the limit.
            exact: what NumPy's float64 gives.
        """
        if not gold.size or np.isnan(gold).any():
            return None
        ulp = np.abs(apart_ulp(codes, gold, fraction, limits))
        return cls(float(ulp.max()), float(ulp.mean()), float(np.abs(gold - exact).max()))
