"""One simulation: rows through a unit, every bit checked, and what it shows."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..golden.types import Bits, Codes, Integers, Reals
from .beats import beat_words, read_beats
from .bench import Neighbours, run
from .kind import MAIN_OUTPUT, Answer, Measured
from .kinds import kind_of
from .scoreboard import Score, score
from .sidecar import Unit
from .simulator import Model

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
    progress: Progress = lambda _: None,
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
    kind = kind_of(unit)
    start = time.perf_counter()
    stream = _stream(
        unit, model, rows, folder / "stream", Neighbours(True, seed), waves=waves, progress=progress
    )
    seconds = time.perf_counter() - start
    pace = _pace(unit, model, rows, folder / "pace")
    emitted = stream.emitted
    return Simulation(
        unit=unit,
        rows=len(rows.lengths),
        score=pace.score if pace.score.mismatches and not stream.score.mismatches else stream.score,
        measured=kind.measure(stream.answer, rows, unit.config),
        cycles=int(emitted[-1]) if emitted.size else 0,
        elements_per_cycle=pace.elements_per_cycle,
        paced_beats=pace.beats,
        refused_cycles=pace.refused_cycles,
        latency_cycles=pace.latency_cycles,
        seconds=seconds,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Stream:
    """A run of the bench: how it compares, and the cycles of its beats.

    Attributes:
        accepted: of the beats of every input stream. emitted: of those of the main output.
    """

    score: Score
    answer: Answer
    accepted: dict[str, Integers]
    emitted: Integers


def _stream(
    unit: Unit,
    model: Model,
    rows: Any,
    folder: Path,
    neighbours: Neighbours,
    *,
    drain: Bits | None = None,
    waves: bool = False,
    progress: Progress = lambda _: None,
) -> _Stream:
    """Stream rows through the model and compare; rows in ``drain`` wait for an idle unit."""
    kind = kind_of(unit)
    sent = kind.pack(rows, unit)
    answer = kind.expect(sent, unit)
    words = {
        name: beat_words(beats, unit.stream(name), _first_beats(beats.last, drain))
        for name, beats in sent.items()
    }
    recorded = run(
        unit,
        model,
        words,
        folder,
        neighbours,
        expected={name: len(stream.beats) for name, stream in answer.streams.items()},
        waves=waves,
        progress=progress,
    )
    formats = unit.formats
    gate, cycles = {}, {}
    for stream in unit.outputs:
        words_out, signed = recorded.outputs[stream.name], formats[stream.name].signed
        gate[stream.name], cycles[stream.name] = read_beats(words_out, stream, signed=signed)
    accepted = {
        name: np.frombuffer(octets, "<u4").astype(np.int64)
        for name, octets in recorded.accepted.items()
    }
    lost = sum(len(beats) - len(accepted[name]) for name, beats in sent.items())
    hung = Score(0, int(recorded.hung), f"hung: {lost} beats were not accepted" * recorded.hung)
    return _Stream(score(answer.streams, gate) + hung, answer, accepted, cycles[MAIN_OUTPUT])


def _first_beats(last: Bits, rows: Bits | None) -> Bits | None:
    """The first beats of some of the rows."""
    if rows is None:
        return None
    first = np.append(True, last[:-1])
    return first & rows[np.cumsum(first) - 1]


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast a unit is, see :class:`Simulation`; 0 where the score has mismatches."""

    score: Score
    elements_per_cycle: float = 0.0
    beats: int = 0
    refused_cycles: int = 0
    latency_cycles: int = 0


def _pace(unit: Unit, model: Model, rows: Any, folder: Path) -> _Pace:
    """The pace of rows back to back, and the latency of a row of one beat.

    The longest rows come first, neighbours never pausing; then single elements, one at a time.
    """
    order = np.argsort(-rows.lengths, kind="stable")[:PACE_ROWS]
    lengths = np.concatenate([rows.lengths[order], np.ones(LATENCY_ROWS, np.int64)])
    chosen = np.concatenate([order, order[:1].repeat(LATENCY_ROWS)])
    paced = kind_of(unit).shortened(rows, chosen, lengths)
    drain = np.arange(len(chosen)) >= len(order)
    stream = _stream(unit, model, paced, folder, Neighbours(False, 1), drain=drain)
    if stream.score.mismatches:
        return _Pace(stream.score)
    beats = int((-(-lengths[~drain] // unit.lanes)).sum())
    most = max(map(len, stream.accepted.values()))  # others have one beat a row
    accepted = [cycles[:beats] for cycles in stream.accepted.values() if len(cycles) == most]
    first = min(int(cycles[0]) for cycles in stream.accepted.values())
    busy = int(stream.emitted[beats - 1]) - first + 1
    whole = np.max([cycles[-LATENCY_ROWS:] for cycles in stream.accepted.values()], axis=0)
    waits = stream.emitted[beats:] - whole
    return _Pace(
        score=stream.score,
        elements_per_cycle=int(lengths[~drain].sum()) / busy,
        beats=beats,
        refused_cycles=max(int(cycles[-1] - cycles[0]) + 1 - beats for cycles in accepted),
        latency_cycles=int(waits.max()),
    )
