"""Rows that break the rules of the stream, one rule at a time or all at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.ports.frame import Frames, cut_frames

from .rows import Row, bytes_of_container, ident_of, input_beats, output_beats, packed, random_rows

# One rule at a time: what breaks it is known, so the answer needs no model


def faults_of(config: SoftmaxConfig) -> list[str]:
    """The ways in which a row of a configuration can break a rule."""
    lanes, several = config.lanes, config.max_beats > 1
    possible = {
        "hole": lanes > 1,
        "broken container": bytes_of_container(config) > 1,
        "partial beat before the last": several and lanes > 1,
        "null beat before the last": several,
        "one element too many": config.max_length % lanes > 0,
        "full last beat": config.max_length % lanes > 0,
        "one beat too many": True,
        "null beat too many": True,
        "some beats too many": True,
        "50 times too long": True,
    }
    return [fault for fault, can_be in possible.items() if can_be]


def broken_row(fault: str, config: SoftmaxConfig, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The input beats of a row with one fault, at a random place."""
    lanes, longest, most = config.lanes, config.max_length, config.max_beats
    row = random_rows(config, [int(rng.integers(1, longest + 1))], seed=int(rng.integers(1 << 30)))
    beats = input_beats(row, config)
    place, whole = int(rng.integers(len(beats))), (1 << lanes) - 1

    def with_beats(count: int) -> list[dict[str, Any]]:
        """Full beats; the last one ends the row."""
        full = {"present": whole, "last": 0}
        return [beats[0] | full for _ in range(count - 1)] + [beats[0] | full | {"last": 1}]

    if fault == "hole":
        above = int(rng.integers(1, lanes))  # a lane present, one below it missing
        present = rng.integers(0, 2, lanes)
        present[above], present[rng.integers(above)] = 1, 0
        beats[place]["present"] = packed(present)
    elif fault == "broken container":
        lane = 1 << int(rng.integers(lanes))
        beats[place]["broken"] = lane
        if rng.integers(2):  # its lowest byte is there, or is not
            beats[place]["present"] ^= lane
    elif fault in ("partial beat before the last", "null beat before the last"):
        count = int(rng.integers(2, most + 1))
        beats, place = with_beats(count), int(rng.integers(count - 1))
        kept = int(rng.integers(1, lanes)) if fault.startswith("partial") else 0
        beats[place]["present"] = (1 << kept) - 1
    elif fault == "one element too many":
        kept = longest % lanes + 1
        beats = with_beats(most)
        beats[-1]["present"] = (1 << kept) - 1
    elif fault == "full last beat":
        beats = with_beats(most)
    elif fault == "null beat too many":
        room = longest - (most - 1) * lanes
        beats = with_beats(most + 1)
        beats[-1]["present"] = 0
        beats[-2]["present"] = (1 << room) - 1
    else:
        further = {"one beat too many": 1, "some beats too many": int(rng.integers(2, 9))}
        beats = with_beats(most + further.get(fault, 49 * most))
    return beats


def error_beats(beats: Sequence[dict[str, Any]], config: SoftmaxConfig) -> list[dict[str, Any]]:
    """The answer to a row in error: as many beats as may be, each without a probability."""
    count = min(len(beats), config.max_beats)
    answer = {
        "p": [0] * config.lanes,
        "keep": (1 << config.lanes) - 1,
        "clipped": 0,
        "error": 1,
        **ident_of(config, beats[count - 1].get("id", 0)),
    }
    return [answer | {"last": int(beat == count - 1)} for beat in range(count)]


def mixed_traffic(
    config: SoftmaxConfig, faults: Sequence[str], seed: int = 24
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(input beats, answer): broken rows, before each of them none to two good rows."""
    rng = np.random.default_rng(seed)
    beats, answer = [], []
    for number, fault in enumerate(faults):
        lengths = rng.integers(0, config.max_length + 1, int(rng.integers(0, 3)))
        good = random_rows(config, lengths.tolist(), seed=seed + number)
        broken = broken_row(fault, config, rng)
        beats += input_beats(good, config) + broken
        answer += output_beats(good, config) + error_beats(broken, config)
    good = random_rows(config, [config.max_length, 1], seed=seed)
    return beats + input_beats(good, config), answer + output_beats(good, config)


# All rules at random: golden says what is broken


@dataclass(frozen=True, eq=False)
class Stream:
    """Input beats.

    Attributes:
        data, mask: (beats, lanes). keep: (beats, lanes, bytes). last, ident: (beats,).
    """

    data: np.ndarray
    keep: np.ndarray
    mask: np.ndarray
    last: np.ndarray
    ident: np.ndarray

    def frames(self, config: SoftmaxConfig) -> Frames:
        """How golden cuts it into rows."""
        return cut_frames(self.data, self.keep, self.mask, self.last, config)

    def present(self) -> list[int]:
        """Elements present of every beat, as numbers: those whose lowest byte is."""
        return [packed(present) for present in self.keep[:, :, 0]]

    def broken(self) -> list[int]:
        """Elements of every beat of which some bytes are present, and some not, as numbers."""
        return [packed(broken) for broken in self.keep.any(axis=2) & ~self.keep.all(axis=2)]

    def masks(self) -> list[int]:
        """``mask`` of every beat, as numbers."""
        return [packed(mask) for mask in self.mask]

    def beats(self, config: SoftmaxConfig) -> list[dict[str, Any]]:
        """The unit's input."""
        fields = zip(
            self.data.tolist(), self.present(), self.broken(), self.masks(), self.last, self.ident,
            strict=True,
        )  # fmt: skip
        return [
            {
                "x": x,
                "present": present,
                "broken": broken,
                "mask": mask,
                **ident_of(config, int(ident)),
                "last": int(last),
            }
            for x, present, broken, mask, last, ident in fields
        ]

    def answer(self, config: SoftmaxConfig) -> list[dict[str, Any]]:
        """The unit's output, by golden."""
        frames, beats, lanes = self.frames(config), self.beats(config), config.lanes
        answer = []
        for row, (count, end) in enumerate(zip(frames.beats, frames.ends, strict=True)):
            if frames.error[row]:
                answer += error_beats(beats[end - count + 1 : end + 1], config)
                continue
            kept = np.flatnonzero(frames.present[row])
            x, mask = frames.codes[row][kept], frames.masked[row][kept]
            null_beat = len(kept) <= (count - 1) * lanes
            answer += output_beats([Row(x, mask, int(self.ident[end]), null_beat)], config)
        return answer


def random_stream(config: SoftmaxConfig, rows: int, seed: int) -> Stream:
    """Rows of any number of beats, a few far too long; some orderly, some without any order."""
    rng = np.random.default_rng(seed)
    low, high = config.input.min_code, config.input.max_code
    most, lanes, size = config.max_beats, config.lanes, -(-config.input.width // 8)
    keeps, lasts = [], []
    for _ in range(rows):
        disorder = rng.choice([0.0, 0.0, 0.2, 1.0])
        some, around = int(rng.integers(1, most + 1)), most + int(rng.integers(0, 3))
        count = int(rng.choice([some, some, around, 5 * most + some], p=[0.5, 0.2, 0.2, 0.1]))
        keep = np.ones((count, lanes, size), bool)
        room = lanes if count < most else config.max_length - (most - 1) * lanes
        keep[-1, rng.integers(0, room + 1) :] = False
        for beat in np.flatnonzero(rng.random(count) < disorder):
            keep[beat] = _disorder(rng, lanes, size)
        keeps.append(keep)
        lasts.append(np.arange(count) == count - 1)
    last = np.concatenate(lasts)
    shape = len(last), lanes
    return Stream(
        data=rng.integers(low, high + 1, shape),
        keep=np.concatenate(keeps),
        mask=rng.random(shape) < rng.choice([0.0, 0.3, 1.0], (len(last), 1)),
        last=last,
        ident=rng.integers(0, 1 << config.id_width, len(last)),
    )


def _disorder(rng: np.random.Generator, lanes: int, size: int) -> np.ndarray:
    """Bytes kept of a beat: none, all, the first lanes, any lanes, any bytes, all but one byte."""
    place, but_one = np.arange(lanes)[:, None], np.ones((lanes, size), bool)
    but_one[rng.integers(lanes), rng.integers(size)] = False
    choices = (
        np.zeros((lanes, size), bool),
        np.ones((lanes, size), bool),
        np.repeat(place < rng.integers(0, lanes + 1), size, axis=1),
        np.repeat(rng.random((lanes, 1)) < 0.5, size, axis=1),
        rng.random((lanes, size)) < 0.5,
        but_one,
    )
    return choices[rng.integers(len(choices))]
