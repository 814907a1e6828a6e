"""Compares what came out of the unit with what the golden model says, bit for bit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..golden.types import Codes, Integers
from .beats import Beats


@dataclass(frozen=True, slots=True)
class Score:
    """The comparison of a run.

    Attributes:
        elements: elements compared.
        mismatches: elements, and beats' flags, that differ, are missing or are too many.
        first: the first mismatch in a sentence; empty where there is none.
    """

    elements: int
    mismatches: int
    first: str

    def __add__(self, other: "Score") -> "Score":
        """Both comparisons; the first mismatch is the left one's, where it has any."""
        return Score(
            self.elements + other.elements,
            self.mismatches + other.mismatches,
            self.first or other.first,
        )


NOTHING = Score(0, 0, "")


@dataclass(frozen=True, eq=False, slots=True)
class Expected:
    """What must come out of an output stream.

    Attributes:
        beats: the beats; what an element that is not kept holds does not matter.
        row: row of each beat.
        inputs: what led to the elements, by name: codes, (beats, lanes).
    """

    beats: Beats
    row: Integers
    inputs: dict[str, Codes]

    def take(self, beats: slice) -> "Expected":
        """Some of the beats."""
        inputs = {name: codes[beats] for name, codes in self.inputs.items()}
        return Expected(self.beats.take(beats), self.row[beats], inputs)


def score(gold: Mapping[str, Expected], gate: Mapping[str, Beats]) -> Score:
    """Compare every beat of every output stream."""
    total = NOTHING
    for name, expected in gold.items():
        compared = _compare(expected, gate[name])
        where = f"{name}, " if compared.first and len(gold) > 1 else ""
        total += Score(compared.elements, compared.mismatches, where + compared.first)
    return total


def score_begun(gold: Mapping[str, Expected], gate: Mapping[str, Beats]) -> Score:
    """Compare a run that was cut off: what came out must be what begins each output stream."""
    begun = {name: expected.take(slice(0, len(gate[name]))) for name, expected in gold.items()}
    return score(begun, gate)


def _compare(gold: Expected, gate: Beats) -> Score:
    """Compare every beat. A lost beat shifts what follows, so all that follows is wrong."""
    beats = gold.beats
    count = min(len(beats), len(gate))
    kept = beats.keep[:count, :, 0]
    data = (beats.data[:count] != gate.data[:count]) & kept
    flags = np.zeros(count, int)
    for name in _FLAGS:
        differs = getattr(beats, name)[:count] != getattr(gate, name)[:count]
        flags += differs.any(axis=tuple(range(1, differs.ndim)))
    lost = max(len(beats), len(gate)) - count
    wrong = np.flatnonzero(data.any(axis=1) | (flags > 0))
    mismatches = int(data.sum() + flags.sum()) + lost
    place = int(wrong[0]) if wrong.size else count
    return Score(
        elements=int(beats.keep[:, :, 0].sum()),
        mismatches=mismatches,
        first=_sentence(place, gold, gate) if mismatches else "",
    )


_FLAGS = {"last": "tlast", "keep": "tkeep", "user": "tuser", "ident": "tid", "dest": "tdest"}


def _sentence(place: int, gold: Expected, gate: Beats) -> str:
    """What differs first, with the inputs that led to it."""
    beats = gold.beats
    if place >= len(beats):
        return f"{len(gate) - len(beats)} beats came out after the last row's end"
    row = int(gold.row[place])
    beat = place - int(np.searchsorted(gold.row, row))
    where = f"row {row}, beat {beat}"
    if place >= len(gate):
        return f"{where}: never came out"
    for name, port in _FLAGS.items():
        ours, theirs = getattr(beats, name)[place], getattr(gate, name)[place]
        if np.any(ours != theirs):
            return f"{where}: {port} gold {_shown(ours)}, gate {_shown(theirs)}"
    kept = beats.keep[place, :, 0]
    lane = int(np.flatnonzero((beats.data[place] != gate.data[place]) & kept)[0])
    led = [
        f"{name} {codes[place, lane]}, the row {_row(codes[gold.row == row])}"
        for name, codes in gold.inputs.items()
    ]
    return (
        f"{where}, lane {lane}: gold {beats.data[place, lane]}, gate {gate.data[place, lane]}; "
        f"element {beat * len(kept) + lane} has {'; '.join(led)}"
    )


def _row(codes: Codes) -> str:
    """The first codes of a row."""
    codes = codes.ravel()
    return " ".join(map(str, codes[:16])) + (" ..." if len(codes) > 16 else "")


def _shown(value: np.ndarray) -> str:
    """Bits, highest first, or a number."""
    if value.dtype != bool:
        return str(value)
    return "0b" + "".join(str(int(bit)) for bit in np.atleast_1d(value).ravel()[::-1])
