"""Cycles of rows through the simulated cross-entropy unit, beside what is planned with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...fpga.exports import exported
from ...golden.config import SoftmaxConfig
from ...golden.errors import require
from ...golden.rows import LogitRows
from ...golden.types import Integers
from ...sim.cross_entropy import TargetRows
from ...sim.exchange import send_rows
from ...sim.kind import MAIN_OUTPUT
from ...sim.simulator import build
from ...sim.store import claimed
from ...sim.testbench import Neighbours
from .cycles import row_cycles

ELEMENTS = 4096
"""Of the rows of a length, at least; and at least :data:`ROWS` of them."""
ROWS = 24
SETTLED = 4
"""First rows of a length that are not counted: what comes before them may still be leaving."""


@dataclass(frozen=True, slots=True)
class Row:
    """Cycles of a row of so many elements, rows of this length following one another."""

    elements: int
    cycles: float
    planned: int

    @property
    def error(self) -> float:
        """Of what is planned with, relative to what was measured."""
        return self.planned / self.cycles - 1


def lengths_to(longest: int, lanes: int) -> list[int]:
    """Lengths that fill beats, and lengths that begin one."""
    found = {1, longest}
    beats = 1
    while beats * lanes <= longest:
        found |= {beats * lanes, min(beats * lanes + 1, longest)}
        beats *= 2
    return sorted(found)


def measured(config: SoftmaxConfig, folder: Path) -> list[Row]:
    """Rows of many lengths through one unit, each bit of them compared.

    Args:
        folder: of everything generated; a model that was built there is used again.

    Raises:
        ConfigError: no simulator, one that did not run to its end, or a bit that differs.
    """
    unit = exported(config, folder, unit="cross_entropy")
    model = build(unit, folder / "models")
    lengths = lengths_to(config.max_length, config.lanes)
    each = [max(ROWS, ELEMENTS // length) + SETTLED for length in lengths]
    rows = _rows(np.repeat(lengths, each))
    with claimed(folder / "runs" / "plan") as place:
        came = send_rows(unit, model, rows, place, Neighbours(False, 1))
    score = came.score()
    require(not score.mismatches, f"the unit must give the golden bits: {score.first}")
    beats = -(-rows.logits.lengths // config.lanes)
    left = came.part.cycles[MAIN_OUTPUT][np.cumsum(beats) - 1]
    ends = np.cumsum(each)
    planned = row_cycles(np.array(lengths), config.lanes, config.max_length)
    return [
        Row(
            elements=length,
            cycles=float(left[end - 1] - left[end - count + SETTLED - 1]) / (count - SETTLED),
            planned=int(cycles),
        )
        for length, count, end, cycles in zip(lengths, each, ends, planned, strict=True)
    ]


def _rows(lengths: Integers) -> TargetRows:
    """Rows of such lengths, with the first word as target; what they hold changes no cycle."""
    present = np.arange(lengths.max()) < lengths[:, None]
    return TargetRows(LogitRows(np.zeros(present.shape), present, lengths), 0 * lengths)
