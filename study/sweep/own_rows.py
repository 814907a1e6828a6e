"""Arrays of a user's own: read from a file, and held against the rows of logits they belong to."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...golden.errors import ConfigError
from ...golden.rows import LogitRows


def load_array(name: str, file: Path) -> np.ndarray:
    """The one array of a ``.npy`` file.

    Args:
        name: of the option or argument, for the sentence of an error.

    Raises:
        ConfigError: a file that cannot be read as one array.
    """
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ConfigError(f"{name} must be a readable .npy file, not {file}: {error}") from None
    if not isinstance(array, np.ndarray):
        raise ConfigError(f"{name} must be a .npy file with one array, not the archive {file}")
    return array


def checked_gradients(array: np.ndarray, logits: LogitRows) -> npt.NDArray[np.float64]:
    """dP of every element, (rows, longest row); 0 beyond a row's end.

    Raises:
        ValueError: another shape or dtype, or a value that is not finite.
    """
    shape = logits.values.shape
    if array.shape != shape or array.dtype.kind not in "fiu":
        raise ValueError(
            f"gradients must be real numbers of the shape {shape} of the logits, not {array.dtype} "
            f"of {array.shape}"
        )
    dp = np.where(logits.present, array.astype(np.float64), 0.0)
    if not np.isfinite(dp).all():
        row, column = np.argwhere(~np.isfinite(dp))[0]
        raise ValueError(f"gradients must be finite, unlike row {row}, column {column}")
    return dp


def checked_targets(array: np.ndarray, logits: LogitRows) -> npt.NDArray[np.int64]:
    """A class index for every row, (rows,).

    Raises:
        ValueError: another shape or dtype.
    """
    shape = logits.lengths.shape
    if array.shape != shape or array.dtype.kind not in "iu":
        raise ValueError(
            f"targets must be whole numbers, one for each of the {shape[0]} rows, not "
            f"{array.dtype} of {array.shape}"
        )
    return array.astype(np.int64)
