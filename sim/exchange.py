"""Beats that a unit is sent, and what came: every run of the testbench goes through here.

Resets cut what is sent into parts. The golden model answers each part on its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..golden.types import Bits, Integers
from .beats import RESET_CYCLE, Beats, beat_words, read_beats, reset_word
from .kind import Answer
from .kinds import kind_of
from .scoreboard import Score, score, score_begun
from .sidecar import Stream, Unit
from .simulator import Model
from .testbench import Neighbours, ProgressCallback, run


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """What came from one reset to the next.

    Attributes:
        answer: what had to come.
        beats: of every output stream. cycles: in which each of them came.
    """

    answer: Answer
    beats: dict[str, Beats]
    cycles: dict[str, Integers]

    def score(self) -> Score:
        """Compare every beat."""
        return score(self.answer.streams, self.beats)

    def score_begun(self) -> Score:
        """Compare what was cut off: what came must be what begins each output stream."""
        return score_begun(self.answer.streams, self.beats)


@dataclass(frozen=True, eq=False, slots=True)
class Exchange:
    """What came of all that was sent.

    Attributes:
        parts: one more than the resets that were reached.
        accepted: cycles in which beats of every input stream were accepted.
        refused: beats that were not accepted.
        hung: nothing moved any more before every beat had passed.
        flooded: the run was ended because beats came out without end.
    """

    parts: list[Part]
    accepted: dict[str, Integers]
    refused: int
    hung: bool
    flooded: bool

    @property
    def part(self) -> Part:
        """What came where there was no reset."""
        (part,) = self.parts
        return part

    def score(self) -> Score:
        """Compare every beat where there was no reset; to hang is a mismatch too."""
        sentence = f"hung: {self.refused} beats were not accepted" * self.hung
        return self.part.score() + Score(0, int(self.hung), sentence)


def send_rows(
    unit: Unit,
    model: Model,
    rows: Any,
    folder: Path,
    neighbours: Neighbours,
    *,
    drain: Mapping[str, Bits | None] = MappingProxyType({}),
    waves: bool = False,
    progress: ProgressCallback = lambda _: None,
) -> Exchange:
    """Send rows of the unit's kind and read what comes.

    Args:
        folder: working directory of the run, kept afterwards.
        drain: for an input stream, (rows,): those that wait until the unit is empty.

    Raises:
        ConfigError: the simulator did not run to its end; says where the log is.
        ValueError: rows that do not fit the unit.
    """
    sent = kind_of(unit).pack(rows, unit)
    frames = unit.frames_of(rows.lengths)
    words = {
        name: beat_words(
            beats, unit.stream(name), _first_beats(beats.last, drain.get(name), frames)
        )
        for name, beats in sent.items()
    }
    return _send(unit, model, [sent], words, folder, neighbours, waves, progress)


def send_parts(
    unit: Unit,
    model: Model,
    parts: Sequence[Mapping[str, Beats]],
    folder: Path,
    neighbours: Neighbours,
) -> Exchange:
    """Send beats of every input stream, legal or not, and reset the unit between two parts.

    Raises:
        ConfigError: the simulator did not run to its end; says where the log is.
    """
    words = {
        port.name: reset_word(port).join(beat_words(part[port.name], port) for part in parts)
        for port in unit.inputs
    }
    return _send(unit, model, parts, words, folder, neighbours)


def _send(
    unit: Unit,
    model: Model,
    parts: Sequence[Mapping[str, Beats]],
    words: Mapping[str, bytes],
    folder: Path,
    neighbours: Neighbours,
    waves: bool = False,
    progress: ProgressCallback = lambda _: None,
) -> Exchange:
    """Send what ``words`` of every input stream spell: the parts, one after another."""
    answers = [kind_of(unit).expect(part, unit) for part in parts]
    most = {
        port.name: max(len(answer.streams[port.name].beats) for answer in answers)
        for port in unit.outputs
    }
    recorded = run(
        unit,
        model,
        words,
        folder,
        neighbours,
        expected={name: len(stream.beats) for name, stream in answers[-1].streams.items()},
        most=most,
        resets=len(parts) - 1,
        waves=waves,
        progress=progress,
    )
    accepted = {
        name: np.frombuffer(cycles, "<u4").astype(np.int64)
        for name, cycles in recorded.accepted.items()
    }
    sent = sum(len(beats) for part in parts for beats in part.values())
    return Exchange(
        parts=_parts(unit, answers, recorded.outputs),
        accepted=accepted,
        refused=sent - sum(map(len, accepted.values())),
        hung=recorded.hung,
        flooded=recorded.flooded,
    )


def _first_beats(last: Bits, rows: Bits | None, frames: Integers) -> Bits | None:
    """The first beats of some of the rows, in a stream of one frame a row or as many as given."""
    if rows is None:
        return None
    first = np.append(True, last[:-1])
    if first.sum() > len(rows):
        rows = np.repeat(rows, frames)
    return first & rows[np.cumsum(first) - 1]


def _parts(unit: Unit, answers: list[Answer], outputs: Mapping[str, bytes]) -> list[Part]:
    """What came, cut at the resets."""
    formats = unit.formats
    cut = {
        port.name: _between_resets(outputs[port.name], port, formats[port.name].signed)
        for port in unit.outputs
    }
    parts = []
    for answer, came in zip(answers, zip(*cut.values(), strict=True), strict=False):
        beats = {name: beats for name, (beats, _) in zip(cut, came, strict=True)}
        cycles = {name: cycles for name, (_, cycles) in zip(cut, came, strict=True)}
        parts.append(Part(answer, beats, cycles))
    return parts


def _between_resets(words: bytes, port: Stream, signed: bool) -> list[tuple[Beats, Integers]]:
    """The beats that came out from one reset to the next, and their cycles."""
    beats, cycles = read_beats(words, port, signed=signed)
    marks = np.flatnonzero(cycles == RESET_CYCLE)
    places = zip([0, *(marks + 1)], [*marks, len(beats)], strict=True)
    return [(beats.take(slice(*place)), cycles[slice(*place)]) for place in places]
