"""Compares what came out of the unit with what the golden model says, bit for bit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..golden.frame import cut_frames
from ..golden.softmax import SoftmaxRows, softmax_rows
from .beats import Beats
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


@dataclass(frozen=True, eq=False, slots=True)
class Expected:
    """What a stream of input beats must give.

    Attributes:
        beats: the output beats.
        row: row of each output beat. codes: its input codes, (beats, lanes).
        result: the golden rows, (rows, longest row).
    """

    beats: Beats
    row: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    result: SoftmaxRows

    def take(self, beats: slice) -> "Expected":
        """Some of the beats, with all of the rows."""
        return Expected(self.beats.take(beats), self.row[beats], self.codes[beats], self.result)


def expect(sent: Beats, unit: Unit) -> Expected:
    """The golden answer to input beats, legal or not."""
    config, lanes = unit.config, unit.lanes
    frames = cut_frames(sent.data, sent.keep, sent.user, sent.last, config)
    width = min(frames.codes.shape[1], config.max_length)  # beyond, only error rows have elements
    left_out = ~frames.present | frames.masked
    result = softmax_rows(frames.codes[:, :width], config, left_out[:, :width])
    good = ~frames.error[:, None]
    result = SoftmaxRows(np.where(good, result.p, 0), result.clipped & good)

    used = np.arange(frames.codes.shape[1] // lanes) < frames.beats[:, None]

    def in_beats(array: np.ndarray) -> np.ndarray:
        padding = [(0, 0), (0, frames.codes.shape[1] - array.shape[1])]
        return np.pad(array, padding).reshape(*used.shape, lanes)[used]

    row = np.repeat(np.arange(len(frames.beats)), frames.beats)
    status = np.zeros((len(row), unit.output_user - lanes), bool)
    status[:, 0] = frames.error[row]
    keep = in_beats(frames.present) | frames.error[row][:, None]
    beats = Beats(
        data=in_beats(result.p),
        keep=np.repeat(keep[:, :, None], unit.output_bytes, axis=2),
        user=np.concatenate([status, in_beats(result.clipped)], axis=1),
        last=np.append(row[1:] != row[:-1], True)[: len(row)],
        ident=frames.ident(sent.ident)[row],
    )
    return Expected(beats, row, in_beats(frames.codes), result)


def score(gold: Expected, gate: Beats, hung: bool) -> Score:
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
    mismatches = int(data.sum() + flags.sum()) + lost + hung
    place = int(wrong[0]) if wrong.size else count
    return Score(
        elements=int(beats.keep[:, :, 0].sum()),
        mismatches=mismatches,
        first=_sentence(place, gold, gate) if mismatches else "",
    )


_FLAGS = {"last": "tlast", "keep": "tkeep", "user": "tuser", "ident": "tid"}


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
    codes = gold.codes[gold.row == row].ravel()
    inputs = " ".join(map(str, codes[:16])) + (" ..." if len(codes) > 16 else "")
    return (
        f"{where}, lane {lane}: gold {beats.data[place, lane]}, gate {gate.data[place, lane]}; "
        f"element {beat * len(kept) + lane} has input code {gold.codes[place, lane]}, "
        f"the row {inputs}"
    )


def _shown(value: np.ndarray) -> str:
    """Bits, highest first, or a number."""
    if value.dtype != bool:
        return str(value)
    return "0b" + "".join(str(int(bit)) for bit in np.atleast_1d(value).ravel()[::-1])
