"""One simulation: rows through a unit, every bit checked, and what it shows."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..golden.types import Codes, Reals
from .exchange import send_rows
from .kind import MAIN_OUTPUT, Measured
from .kinds import kind_of
from .pace import pace_of
from .scoreboard import Score
from .sidecar import Unit
from .simulator import Model
from .testbench import Neighbours, ProgressCallback


@dataclass(frozen=True, eq=False, slots=True)
class Simulation:
    """What a simulation showed.

    Attributes:
        unit: the unit under test.
        score: the comparison.
        measured: errors, bounds, and what explains them.
        cycles: of the run with random pauses.
        elements_per_cycle: over rows back to back, neighbours never pausing.
        paced_beats: of these rows. refused_cycles: in which an input refused one of them.
        latency_cycles: of a one-beat row through the idle unit, to the main output.
        seconds: of the run with random pauses, the comparison included.
    """

    unit: Unit
    rows: int
    score: Score
    measured: Measured
    cycles: int
    elements_per_cycle: float
    paced_beats: int
    refused_cycles: int
    latency_cycles: int
    seconds: float

    @property
    def beats_per_cycle(self) -> float:
        """That the inputs accept of rows back to back, at most 1; 0 where none were right."""
        return self.paced_beats / max(self.paced_beats + self.refused_cycles, 1)

    @property
    def metrics(self) -> Any:
        """The errors and what explains them, a dataclass of the unit's kind."""
        return self.measured.metrics

    @property
    def bound_ulp(self) -> float:
        """The proven bound of the metrics' ``max_error_ulp``."""
        return self.measured.bound_ulp

    @property
    def bounds_kept(self) -> bool:
        """No error is above its proven bound."""
        return self.measured.bounds_kept

    @property
    def probabilities(self) -> Codes:
        """Of the active elements, codes of the configuration's output."""
        return self.measured.probabilities

    @property
    def errors(self) -> Reals:
        """Of the same elements, in output LSB."""
        return self.measured.errors

    def to_dict(self) -> dict[str, Any]:
        """The fields of ``sim --json``: those of every unit, then the metrics of its kind."""
        metrics = asdict(self.metrics)
        return {
            "unit": self.unit.name,
            "preset": self.unit.description["preset"],
            "datapath": self.unit.description["datapath"],
            "rows": self.rows,
            "elements": self.score.elements,
            "mismatches": self.score.mismatches,
            "cycles": self.cycles,
            "elements_per_cycle": self.elements_per_cycle,
            "beats_per_cycle": self.beats_per_cycle,
            "latency_cycles": self.latency_cycles,
            "max_error_ulp": metrics.pop("max_error_ulp"),
            "bound_ulp": self.bound_ulp,
            **metrics,
            "seconds": self.seconds,
        }


def simulate(
    unit: Unit,
    model: Model,
    rows: Any,
    folder: Path,
    *,
    seed: int = 1,
    waves: bool = False,
    progress: ProgressCallback = lambda _: None,
) -> Simulation:
    """Stream rows through a built model with random pauses on all sides; check every element.

    Args:
        rows: of the type of the unit's kind: ``LogitRows``, :class:`.softmax_backward.BackwardRows`
            or :class:`.cross_entropy.TargetRows`.
        folder: working directory, one sub-folder a run.
        seed: of the pauses.
        progress: told the share of the work that is done.

    Raises:
        ConfigError: the simulator did not run to its end.
        ValueError: rows that do not fit the unit.
    """
    start = time.perf_counter()
    neighbours = Neighbours(True, seed)
    came = send_rows(
        unit, model, rows, folder / "stream", neighbours, waves=waves, progress=progress
    )
    score = came.score()
    seconds = time.perf_counter() - start
    pace = pace_of(unit, model, rows, folder / "pace")
    emitted = came.part.cycles[MAIN_OUTPUT]
    return Simulation(
        unit=unit,
        rows=len(rows.lengths),
        score=pace.score if pace.score.mismatches and not score.mismatches else score,
        measured=kind_of(unit).measure(came.part.answer, rows, unit.config),
        cycles=int(emitted[-1]) if emitted.size else 0,
        elements_per_cycle=pace.elements_per_cycle,
        paced_beats=pace.beats,
        refused_cycles=pace.refused_cycles,
        latency_cycles=pace.latency_cycles,
        seconds=seconds,
    )
