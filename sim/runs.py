"""Runs in a directory of everything generated: models are kept in it, and no two runs meet."""

from pathlib import Path
from typing import Any

from .hostile import hostile_stream, run_hostile
from .run import Simulation, simulate
from .scoreboard import Score
from .sidecar import Unit
from .simulator import build
from .store import claimed
from .testbench import ProgressCallback


def simulated(
    unit: Unit,
    rows: Any,
    out: Path,
    *,
    name: str = "",
    seed: int = 1,
    waves: bool = False,
    progress: ProgressCallback = lambda _: None,
) -> Simulation:
    """Simulate rows, as :func:`.run.simulate` does, on the unit's model in ``out/models``.

    Args:
        name: of the working folder in ``out/runs``; the unit's own unless given.

    Raises:
        ConfigError: no simulator, or one that did not run to its end.
        ValueError: rows that do not fit the unit.
    """
    model = build(unit, out / "models", waves=waves)
    with claimed(out / "runs" / (name or unit.top)) as folder:
        return simulate(unit, model, rows, folder, seed=seed, waves=waves, progress=progress)


def attacked(unit: Unit, frames: int, out: Path, *, name: str, seed: int = 1) -> Score:
    """Stream hostile frames, as :func:`.hostile.run_hostile` does; arguments as above.

    Raises:
        ConfigError: as above.
    """
    model, stream = build(unit, out / "models"), hostile_stream(unit, frames, seed)
    with claimed(out / "runs" / name) as folder:
        return run_hostile(unit, model, stream, folder, seed=seed)
