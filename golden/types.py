"""The array types of the golden model, and of whatever reads its arrays."""

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
"""Integers that the hardware holds; a format says how wide they are."""
Integers = npt.NDArray[np.int64]
"""Integers that are no codes: lengths, cycles, classes."""
Indices = npt.NDArray[np.intp]
Bits = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]
