"""One simulation: rows of logits through a unit, every bit checked, and what it shows."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..golden.bounds import bound_ulp
from ..golden.formats import Codes
from ..golden.metrics import Metrics, error_ulp, measure
from ..golden.rows import LogitRows
from ..golden.softmax import SoftmaxRows
from .beats import input_words, output_beats, pack_rows, word_bytes
from .scoreboard import Score, expect, score
from .sidecar import Unit
from .simulator import Model, run

Cycles = npt.NDArray[np.int64]
Progress = Callable[[float], object]
"""Called with the share of the work that is done."""

PACE_ROWS, LATENCY_ROWS = 2000, 8
"""Rows of the run without pauses, which measures rate and latency."""


@dataclass(frozen=True, eq=False, slots=True)
class Simulation:
    """What a simulation showed.

    Attributes:
        unit: the unit under test.
        score: the comparison.
        metrics: the two errors and what explains them.
        cycles: of the run with random pauses.
        elements_per_cycle: over rows back to back, neighbours never pausing.
        latency_cycles: of a one-beat row through the idle unit.
        seconds: of the run with random pauses, the comparison included.
        probabilities: of the active elements, output codes; ``errors``: theirs, in output LSB.
    """

    unit: Unit
    rows: int
    score: Score
    metrics: Metrics
    bound_ulp: float
    cycles: int
    elements_per_cycle: float
    latency_cycles: int
    seconds: float
    probabilities: Codes
    errors: npt.NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """The fields of ``sim --json``."""
        metrics = asdict(self.metrics)
        return {
            "unit": self.unit.description["unit"],
            "preset": self.unit.description["preset"],
            "datapath": self.unit.config.datapath,
            "rows": self.rows,
            "elements": self.score.elements,
            "mismatches": self.score.mismatches,
            "cycles": self.cycles,
            "elements_per_cycle": self.elements_per_cycle,
            "latency_cycles": self.latency_cycles,
            "max_error_ulp": metrics.pop("max_error_ulp"),
            "bound_ulp": self.bound_ulp,
            **metrics,
            "seconds": self.seconds,
        }


def simulate(
    unit: Unit,
    model: Model,
    rows: LogitRows,
    folder: Path,
    *,
    seed: int = 1,
    waves: bool = False,
    progress: Progress = lambda _: None,
) -> Simulation:
    """Stream rows through a built model with random pauses on both sides; check every element.

    Args:
        folder: working directory, one sub-folder a run.
        seed: of the pauses.
        progress: told the share of the work that is done.

    Raises:
        ConfigError: the simulator did not run to its end.
        ValueError: rows that do not fit the unit.
    """
    start = time.perf_counter()
    options = {"pauses": True, "seed": seed, "waves": waves, "progress": progress}
    stream = _stream(unit, model, rows, folder / "stream", **options)
    seconds = time.perf_counter() - start
    codes, active = rows.codes(unit.config), rows.active
    rate, latency, pace = _pace(unit, model, rows, folder / "pace")
    return Simulation(
        unit=unit,
        rows=len(rows.lengths),
        score=pace if pace.mismatches and not stream.score.mismatches else stream.score,
        metrics=measure(stream.gold, rows, unit.config),
        bound_ulp=bound_ulp(unit.config),
        cycles=int(stream.emitted[-1]) if stream.emitted.size else 0,
        elements_per_cycle=rate,
        latency_cycles=latency,
        seconds=seconds,
        probabilities=stream.gold.p[active],
        errors=error_ulp(stream.gold.p, codes, active, unit.config)[active],
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Stream:
    """A run of the bench: how it compares, and the cycle of every beat in and out."""

    score: Score
    gold: SoftmaxRows
    accepted: Cycles
    emitted: Cycles


def _stream(
    unit: Unit,
    model: Model,
    rows: LogitRows,
    folder: Path,
    *,
    drain: npt.NDArray[np.bool_] | None = None,
    progress: Progress = lambda _: None,
    **options: Any,
) -> _Stream:
    """Stream rows through the model and compare; rows in ``drain`` wait for an idle unit."""
    masked = rows.present & ~rows.active
    sent = pack_rows(rows.codes(unit.config), masked, rows.lengths, unit)
    held = None
    if drain is not None:
        first = np.append(True, sent.last[:-1])
        held = first & np.repeat(drain, -(-rows.lengths // unit.lanes))
    gold = expect(sent, unit)
    total = len(gold.beats) * word_bytes(unit)
    recorded = run(
        model,
        input_words(sent, unit, held),
        folder,
        progress=lambda written: progress(min(written / total, 1.0)),
        **options,
    )
    gate, emitted = output_beats(recorded.output, unit)
    accepted = np.frombuffer(recorded.accepted, "<u4").astype(np.int64)
    width = rows.values.shape[1]
    result = SoftmaxRows(gold.result.p[:, :width], gold.result.clipped[:, :width])
    return _Stream(score(gold, gate, recorded.hung), result, accepted, emitted)


def _pace(unit: Unit, model: Model, rows: LogitRows, folder: Path) -> tuple[float, int, Score]:
    """Elements per cycle of rows back to back, latency in cycles of a row of one beat, the score.

    The longest rows come first, neighbours never pausing; then single elements, one at a time.
    """
    order = np.argsort(-rows.lengths, kind="stable")[:PACE_ROWS]
    lengths = np.concatenate([rows.lengths[order], np.ones(LATENCY_ROWS, np.int64)])
    chosen = np.concatenate([order, order[:1].repeat(LATENCY_ROWS)])
    paced = LogitRows(
        rows.values[chosen],
        rows.active[chosen] & (np.arange(rows.values.shape[1]) < lengths[:, None]),
        lengths,
    )
    drain = np.arange(len(chosen)) >= len(order)
    stream = _stream(unit, model, paced, folder, drain=drain, pauses=False, seed=1)
    if stream.score.mismatches:
        return 0.0, 0, stream.score
    beats = int((-(-lengths[~drain] // unit.lanes)).sum())
    busy = stream.emitted[beats - 1] - stream.accepted[0] + 1
    waits = stream.emitted[beats:] - stream.accepted[beats:]
    return int(lengths[~drain].sum()) / int(busy), int(waits.max()), stream.score
