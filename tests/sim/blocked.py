"""Runs in which a neighbour does nothing, for good or for long: the unit must not get stuck.

What can complete without that neighbour must come out, and nothing that comes out may be wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from softmaxfx.sim.exchange import send_rows
from softmaxfx.sim.scoreboard import Score
from softmaxfx.sim.sidecar import Unit
from softmaxfx.sim.simulator import Model
from softmaxfx.sim.testbench import Neighbours


@dataclass(frozen=True, slots=True)
class Blocked:
    """What passed.

    Attributes:
        score: what came out, compared with the beginning of what the rows give.
        accepted: beats of every input stream. came: rows of every output stream.
        whole: every beat of every stream has passed.
    """

    score: Score
    accepted: dict[str, int]
    came: dict[str, int]
    whole: bool


def run_blocked(
    unit: Unit,
    model: Model,
    rows: Any,
    folder: Path,
    blocked: Iterable[str],
    *,
    freed_after: int | None = None,
    pauses: bool = True,
    seed: int = 1,
) -> Blocked:
    """Stream rows of the unit's kind while some streams are blocked.

    Args:
        blocked: names of the streams.
        freed_after: as in :class:`.testbench.Neighbours`: ``None`` blocks them for good.
        pauses: the other neighbours pause at random.

    Raises:
        ConfigError: the simulator did not run to its end.
        ValueError: rows that do not fit the unit.
    """
    neighbours = Neighbours(pauses, seed, frozenset(blocked), freed_after)
    came = send_rows(unit, model, rows, folder, neighbours)
    return Blocked(
        score=came.part.score_begun(),
        accepted={name: len(cycles) for name, cycles in came.accepted.items()},
        came={name: int(np.sum(beats.last)) for name, beats in came.part.beats.items()},
        whole=not came.hung,
    )
