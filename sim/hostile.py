"""Streams that no well-behaved neighbour would send: every rule of the ports broken at random.

The unit must never hang, must answer a broken row as the golden model says, and must give the next
good row bit for bit. Resets come in the middle of rows; what was in flight may then be lost, what
comes out before and after must be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .beats import RESET_CYCLE, Beats, beat_words, read_beats, reset_word
from .bench import Neighbours, run
from .kinds import kind_of
from .scoreboard import NOTHING, Score, score, score_begun
from .sidecar import Stream, Unit
from .simulator import Model

GOOD_FRAMES = 2
"""Good frames at the end, so that every stream comes to its end."""


@dataclass(frozen=True, eq=False, slots=True)
class HostileStream:
    """What is sent.

    Attributes:
        parts: beats of every input stream; between two parts the unit is reset.
        kinds: how often each kind of frame occurs.
    """

    parts: list[dict[str, Beats]]
    kinds: dict[str, int]


def hostile_stream(unit: Unit, frames: int, seed: int) -> HostileStream:
    """Random frames of all that the unit's kind knows, some cut off by a reset."""
    kind, rng = kind_of(unit), np.random.default_rng(seed)
    drawn = [kind.frames[place] for place in rng.integers(0, len(kind.frames), frames)]
    drawn[-GOOD_FRAMES:] = ["good"] * GOOD_FRAMES
    parts: list[list[dict[str, Beats]]] = [[]]
    for frame in drawn:
        parts[-1].append(kind.hostile_frame(frame, unit, rng))
        if frame == "reset":
            parts.append([])
    return HostileStream(
        parts=[_in_order(part) for part in parts],
        kinds={frame: drawn.count(frame) for frame in dict.fromkeys(kind.frames)},
    )


def _in_order(frames: Sequence[dict[str, Beats]]) -> dict[str, Beats]:
    """The beats of every stream, frame after frame."""
    return {name: Beats.concatenate([frame[name] for frame in frames]) for name in frames[0]}


def run_hostile(
    unit: Unit, model: Model, stream: HostileStream, folder: Path, *, seed: int
) -> Score:
    """Stream hostile beats with random pauses on all sides; compare between the resets."""
    kind, resets = kind_of(unit), len(stream.parts) - 1
    answers = [kind.expect(part, unit).streams for part in stream.parts]
    recorded = run(
        unit,
        model,
        {
            port.name: reset_word(port).join(
                beat_words(part[port.name], port) for part in stream.parts
            )
            for port in unit.inputs
        },
        folder,
        Neighbours(True, seed),
        expected={name: len(answer.beats) for name, answer in answers[-1].items()},
        most={
            port.name: max(len(answer[port.name].beats) for answer in answers)
            for port in unit.outputs
        },
        resets=resets,
    )
    formats = unit.formats
    gates = [
        _between_resets(recorded.outputs[port.name], port, formats[port.name].signed)
        for port in unit.outputs
    ]
    names = [port.name for port in unit.outputs]
    came = [dict(zip(names, parts, strict=True)) for parts in zip(*gates, strict=True)]
    if len(came) != len(answers) and not recorded.flooded:
        return Score(0, 1, f"hung: {len(came) - 1} of {resets} resets were reached")
    total = NOTHING
    for part, (answer, gate) in enumerate(zip(answers, came, strict=False)):
        # a reset swallows what is in flight
        told = score(answer, gate) if part == resets else score_begun(answer, gate)
        first = f"after reset {part}: {told.first}" if told.first else ""
        total += Score(told.elements, told.mismatches, first)
    return total + Score(0, int(recorded.hung), "hung: not every beat was accepted" * recorded.hung)


def _between_resets(words: bytes, port: Stream, signed: bool) -> list[Beats]:
    """The beats that came out from one reset to the next."""
    beats, cycle = read_beats(words, port, signed=signed)
    marks = np.flatnonzero(cycle == RESET_CYCLE)
    parts = zip([0, *(marks + 1)], [*marks, len(beats)], strict=True)
    return [beats.take(slice(*part)) for part in parts]
