"""Rows of logits recorded of pretrained networks, and how they are stored.

A row is its largest element in float32 and the others' distance from it in float16: float16 alone
steps by 0.03 at 40, and it is the largest elements that matter.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..golden.types import Codes, Reals

NETWORKS_FILE = Path(__file__).parent / "data" / "networks.npz"

NAMES = ("smollm2_attention", "smollm2_output", "minilm_attention", "efficientnet_output")
"""Of rows that fit a unit of 1,024 elements."""
WHOLE = "smollm2_vocabulary"
"""Of rows of all words."""


@dataclass(frozen=True, eq=False)
class NetworkRows:
    """Rows of a recording.

    Attributes:
        lengths: elements of each row, (rows,). largest: of each row, float32, (rows,).
        below: x - largest, float16, a row after the other.
        targets: the class of each row, an index into it, -1 where none is known, (rows,); nothing
            where rows have no class.
    """

    lengths: NDArray[np.uint16]
    largest: NDArray[np.float32]
    below: NDArray[np.float16]
    targets: NDArray[np.int32]

    @classmethod
    def of(cls, rows: list[Any], targets: list[int] | None = None) -> "NetworkRows":
        """Rows of floats, stored."""
        whole = [np.asarray(row, np.float64) for row in rows]
        largest = [row.max().astype(np.float32) for row in whole]
        below = [
            np.minimum(row - np.float64(most), 0).astype(np.float16)
            for row, most in zip(whole, largest, strict=True)
        ]
        return cls(
            np.array([len(row) for row in rows], np.uint16),
            np.array(largest, np.float32),
            np.concatenate(below),
            np.array(targets or [], np.int32),
        )

    def padded(self) -> Reals:
        """(rows, longest row); a row that is shorter ends in NaN."""
        present = np.arange(self.lengths.max()) < self.lengths[:, None]
        rows = np.full(present.shape, np.nan)
        each = np.repeat(self.largest.astype(np.float64), self.lengths)
        rows[present] = each + self.below.astype(np.float64)
        return rows


def stored(recordings: dict[str, NetworkRows]) -> dict[str, np.ndarray]:
    """The arrays of a file."""
    return {
        f"{name}_{part}": array
        for name, rows in recordings.items()
        for part, array in vars(rows).items()
        if array.size
    }


def network_rows(name: str, file: Path = NETWORKS_FILE) -> NetworkRows:
    """One recording of a file."""
    with np.load(file) as arrays:
        lengths, largest, below = (
            arrays[f"{name}_{part}"] for part in ("lengths", "largest", "below")
        )
        targets = f"{name}_targets"
        known = arrays[targets] if targets in arrays else np.zeros(0, np.int32)
        return NetworkRows(lengths, largest, below, known)


def network_targets(name: str) -> Codes:
    """The class of each row, (rows,), -1 where none is known."""
    return network_rows(name).targets.astype(np.int64)
