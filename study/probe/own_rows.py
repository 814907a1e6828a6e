"""Rows of a user's own, from ``.npy`` files, as sites."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...golden.errors import ConfigError
from ...golden.measures.row_record import RANGES
from ...golden.rows import LogitRows
from ..npy_file import load_array
from .seen import Seen, seen


def of_files(files: Sequence[Path], seed: int, ranges: Sequence[float] = RANGES) -> list[Seen]:
    """A site each file, by its name: a 2-D array, -inf masked, trailing NaN a shorter row.

    Raises:
        ConfigError: a file that holds no such array, or no element that takes part.
    """
    return [_of_file(file, seed, ranges) for file in files]


def _of_file(file: Path, seed: int, ranges: Sequence[float]) -> Seen:
    try:
        rows = LogitRows.from_array(load_array("--npy", file))
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"--npy {file}: {error}") from None
    found = seen(file.stem, {"": np.where(rows.active, rows.values, -np.inf)}, seed, ranges=ranges)
    if not found.figures.rows:
        raise ConfigError(f"--npy {file} must hold an element that takes part, and all are masked")
    return found
