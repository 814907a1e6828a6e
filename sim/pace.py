"""How fast a unit is, no neighbour pausing: rows back to back, then single ones in turn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .exchange import send_rows
from .kind import MAIN_OUTPUT
from .kinds import kind_of
from .paced import LATENCY_ROWS
from .scoreboard import Score
from .sidecar import Unit
from .simulator import Model
from .testbench import Neighbours


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
    paced = kind_of(unit).paced(rows, unit)
    came = send_rows(unit, model, paced.rows, folder, Neighbours(False, 1), drain=paced.waits)
    score = came.score()
    if score.mismatches:
        return Pace(score)
    accepted, emitted = came.accepted, came.part.cycles[MAIN_OUTPUT]
    of_rows = -(-paced.lengths // unit.lanes)
    beats, sent = int(of_rows.sum()), int((of_rows * unit.frames_of(paced.lengths)).sum())
    most = max(map(len, accepted.values()))  # others have one beat a row
    in_step = [cycles[:sent] for cycles in accepted.values() if len(cycles) == most]
    busy = int(emitted[beats - 1]) - min(int(cycles[0]) for cycles in accepted.values()) + 1
    single = {stream.name: paced.beats if stream.last else 1 for stream in unit.inputs}
    whole = np.max(
        [
            cycles[-LATENCY_ROWS * single[name] :][single[name] - 1 :: single[name]]
            for name, cycles in accepted.items()
        ],
        axis=0,
    )
    latency = int((emitted[beats :: paced.beats] - whole).max())
    per_beat = unit.description["latency"]["per_beat"]
    return Pace(
        score=score,
        elements_per_cycle=int(paced.lengths.sum()) / busy,
        beats=sent,
        refused_cycles=max(int(cycles[-1] - cycles[0]) + 1 - sent for cycles in in_step),
        latency_cycles=latency - per_beat * (paced.beats - 1),
    )
