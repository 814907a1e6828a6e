"""How fast a unit is, no neighbour pausing: rows back to back, then single elements in turn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .exchange import send_rows
from .kind import MAIN_OUTPUT
from .kinds import kind_of
from .scoreboard import Score
from .sidecar import Unit
from .simulator import Model
from .testbench import Neighbours

PACE_ROWS, LATENCY_ROWS = 2000, 8
"""Rows that measure the rate, at most, and rows that measure the latency."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a unit is; all 0 where the score has mismatches.

    Attributes:
        elements_per_cycle: of rows back to back.
        beats: of these rows, in both passes of long ones. refused_cycles: in which an input
            refused one of them.
        latency_cycles: of a row of one beat through the idle unit, to the main output.
    """

    score: Score
    elements_per_cycle: float = 0.0
    beats: int = 0
    refused_cycles: int = 0
    latency_cycles: int = 0


def pace_of(unit: Unit, model: Model, rows: Any, folder: Path) -> Pace:
    """The pace of the longest rows, and the latency of a row of one beat.

    Args:
        folder: working directory of the run.

    Raises:
        ConfigError: the simulator did not run to its end.
    """
    order = np.argsort(-rows.lengths, kind="stable")[:PACE_ROWS]
    lengths = np.concatenate([rows.lengths[order], np.ones(LATENCY_ROWS, np.int64)])
    chosen = np.concatenate([order, order[:1].repeat(LATENCY_ROWS)])
    paced = kind_of(unit).shortened(rows, chosen, lengths)
    drain = np.arange(len(chosen)) >= len(order)
    came = send_rows(unit, model, paced, folder, Neighbours(False, 1), drain=drain)
    score = came.score()
    if score.mismatches:
        return Pace(score)
    accepted, emitted = came.accepted.values(), came.part.cycles[MAIN_OUTPUT]
    of_rows = -(-lengths[~drain] // unit.lanes)
    beats, sent = int(of_rows.sum()), int((of_rows * unit.frames_of(lengths[~drain])).sum())
    most = max(map(len, accepted))  # others have one beat a row
    in_step = [cycles[:sent] for cycles in accepted if len(cycles) == most]
    busy = int(emitted[beats - 1]) - min(int(cycles[0]) for cycles in accepted) + 1
    whole = np.max([cycles[-LATENCY_ROWS:] for cycles in accepted], axis=0)
    return Pace(
        score=score,
        elements_per_cycle=int(lengths[~drain].sum()) / busy,
        beats=sent,
        refused_cycles=max(int(cycles[-1] - cycles[0]) + 1 - sent for cycles in in_step),
        latency_cycles=int((emitted[beats:] - whole).max()),
    )
