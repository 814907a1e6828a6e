"""Streams that no well-behaved neighbour would send: every rule of the ports broken at random.

The unit must never hang, must answer a broken row as ``golden.frame`` says, and must give the next
good row bit for bit. Resets come in the middle of rows; what was in flight may then be lost, what
comes out before and after must be right.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .beats import RESET_CYCLE, Beats, input_words, output_beats
from .scoreboard import Score, expect, score
from .sidecar import Unit
from .simulator import Model, run

KINDS = (
    "good", "good", "good", "masked", "all masked", "empty", "null last beat", "too many beats",
    "one element too many", "endless", "hole", "broken container", "early partial", "reset",
)  # fmt: skip
"""What a frame can be; good ones often, so that they follow every other kind."""


@dataclass(frozen=True, eq=False, slots=True)
class HostileStream:
    """Input beats, the beats before which the unit is reset, and how often each kind occurs."""

    beats: Beats
    reset: npt.NDArray[np.bool_]
    kinds: dict[str, int]


def hostile_stream(unit: Unit, frames: int, seed: int) -> HostileStream:
    """Random frames of all :data:`KINDS`, some cut off by a reset."""
    rng = np.random.default_rng(seed)
    kinds = [KINDS[kind] for kind in rng.integers(0, len(KINDS), frames)]
    parts = [_frame(unit, kind, rng) for kind in kinds]
    counts = np.array([len(last) for _, _, last in parts])
    starts = np.cumsum(counts) - counts
    beats = int(counts.sum())
    reset = np.zeros(beats, bool)
    after = np.array([kind == "reset" for kind in kinds[:-1]], bool)
    reset[starts[1:][after]] = True
    low, high = unit.config.input.min_code, unit.config.input.max_code
    spread = 1 << rng.integers(1, unit.config.input.width, (beats, 1))
    data = rng.integers(-spread, spread, (beats, unit.lanes))
    return HostileStream(
        beats=Beats(
            data=np.clip(data, low, high),
            keep=np.concatenate([keep for keep, _, _ in parts]),
            user=np.concatenate([user for _, user, _ in parts]),
            last=np.concatenate([last for _, _, last in parts]),
            ident=np.repeat(rng.integers(0, 1 << unit.config.id_width, frames), counts),
        ),
        reset=reset,
        kinds={kind: kinds.count(kind) for kind in dict.fromkeys(KINDS)},
    )


def _frame(unit: Unit, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """(keep, user, last) of a frame."""
    lanes, config = unit.lanes, unit.config
    length = int(rng.integers(1, config.max_length + 1))
    if kind == "too many beats":
        length = (config.max_beats + int(rng.integers(1, 3))) * lanes
    elif kind == "one element too many":
        length = config.max_length + 1
    elif kind == "endless":
        length = config.max_beats * lanes * int(rng.integers(2, 6)) + int(rng.integers(0, lanes))
    elif kind == "empty":
        length = 0
    beats = max(-(-length // lanes), 1)
    present = np.arange(beats * lanes).reshape(beats, lanes) < length
    keep = np.repeat(present[:, :, None], unit.input_bytes, axis=2)
    user = rng.random((beats, lanes)) < rng.choice([0.0, 0.3] if kind != "masked" else [0.5, 0.9])
    last = np.arange(beats) == beats - 1
    place = int(rng.integers(0, beats))
    if kind == "all masked":
        user[:] = True
    elif kind == "null last beat":
        keep = np.concatenate([keep[:-1], np.ones_like(keep[:1]), np.zeros_like(keep[:1])])
        user, last = np.pad(user, [(0, 1), (0, 0)]), np.arange(beats + 1) == beats
    elif kind == "hole":
        keep[place] = rng.random(keep[place].shape[0])[:, None] < 0.5
    elif kind == "broken container":
        keep[place] = rng.random(keep[place].shape) < 0.5
    elif kind == "early partial":
        keep[place, int(rng.integers(0, lanes)) :] = False
    elif kind == "reset":
        last[:] = False
    return keep, user, last


def run_hostile(
    unit: Unit, model: Model, stream: HostileStream, folder: Path, *, seed: int
) -> Score:
    """Stream hostile beats with random pauses on both sides; compare between the resets."""
    words = input_words(stream.beats, unit, reset=stream.reset)
    recorded = run(model, words, folder, pauses=True, seed=seed)
    gate, cycle = output_beats(recorded.output, unit)
    marks = np.flatnonzero(cycle == RESET_CYCLE)
    resets = np.flatnonzero(stream.reset)
    if len(marks) != len(resets):
        sentence = f"hung: {len(marks)} of {len(resets)} resets were reached"
        return Score(elements=0, mismatches=1, first=sentence)
    sent_parts = zip([0, *resets], [*resets, len(stream.beats)], strict=True)
    gate_parts = zip([0, *(marks + 1)], [*marks, len(gate)], strict=True)
    elements = mismatches = 0
    first = ""
    for part, (sent, came) in enumerate(zip(sent_parts, gate_parts, strict=True)):
        expected = expect(stream.beats.take(slice(*sent)), unit)
        answer = gate.take(slice(*came))
        final = part == len(resets)
        if not final and len(answer) <= len(expected.beats):  # the reset has swallowed the rest
            expected = expected.take(slice(0, len(answer)))
        result = score(expected, answer, recorded.hung and final)
        elements, mismatches = elements + result.elements, mismatches + result.mismatches
        if result.first and not first:
            first = f"after reset {part}: {result.first}"
    return Score(elements, mismatches, first)
