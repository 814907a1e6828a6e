"""Compares what came out of the unit with what the golden model says, bit for bit."""

from dataclasses import dataclass

import numpy as np

from ..golden.rows import LogitRows
from ..golden.softmax import SoftmaxRows
from .beats import Beats, pack_rows
from .sidecar import Unit


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


def expected_beats(result: SoftmaxRows, rows: LogitRows, unit: Unit) -> Beats:
    """The output beats of the golden result: probabilities, and user bits {clipped, status}."""
    beats = pack_rows(result.p, result.clipped, rows.lengths, unit.lanes)
    status = np.zeros((len(beats.last), unit.output_user - unit.lanes), bool)
    return Beats(beats.data, beats.keep, np.concatenate([status, beats.user], axis=1), beats.last)


def score(gold: Beats, gate: Beats, rows: LogitRows, unit: Unit, hung: bool) -> Score:
    """Compare every beat. A lost beat shifts what follows, so all that follows is wrong."""
    count = min(len(gold.last), len(gate.last))
    data = (gold.data[:count] != gate.data[:count]) & gold.keep[:count]
    flags = np.zeros(count, int)
    for name in ("keep", "user", "last"):
        differs = getattr(gold, name)[:count] != getattr(gate, name)[:count]
        flags += differs.reshape(count, -1).any(axis=1)
    lost = max(len(gold.last), len(gate.last)) - count
    wrong = np.flatnonzero(data.any(axis=1) | (flags > 0))
    place = int(wrong[0]) if wrong.size else count
    mismatches = int(data.sum() + flags.sum()) + lost
    return Score(
        elements=int(gold.keep.sum()),
        mismatches=mismatches + hung,
        first=_sentence(place, gold, gate, rows, unit) if mismatches or hung else "",
    )


def _sentence(place: int, gold: Beats, gate: Beats, rows: LogitRows, unit: Unit) -> str:
    """What differs first, with the inputs that led to it."""
    if place >= len(gold.last):
        return f"{len(gate.last) - len(gold.last)} beats came out after the last row's end"
    row = int(gold.last[:place].sum())
    beat = place - (int(np.flatnonzero(gold.last[:place])[-1]) + 1 if row else 0)
    where = f"row {row} of {rows.lengths[row]} elements, beat {beat}"
    if place >= len(gate.last):
        return f"{where}: never came out"
    for name in ("last", "keep", "user"):
        ours, theirs = getattr(gold, name)[place], getattr(gate, name)[place]
        if np.any(ours != theirs):
            return f"{where}: t{name} gold {_binary(ours)}, gate {_binary(theirs)}"
    lane = int(np.flatnonzero((gold.data[place] != gate.data[place]) & gold.keep[place])[0])
    element = beat * unit.lanes + lane
    codes = rows.take(slice(row, row + 1)).codes(unit.config)[0, : rows.lengths[row]]
    inputs = " ".join(map(str, codes[:16])) + (" ..." if len(codes) > 16 else "")
    return (
        f"{where}, lane {lane}: gold {gold.data[place, lane]}, gate {gate.data[place, lane]}; "
        f"element {element} has input code {codes[element]}, the row {inputs}"
    )


def _binary(bits: np.ndarray) -> str:
    return "0b" + "".join(str(int(bit)) for bit in np.atleast_1d(bits)[::-1])
