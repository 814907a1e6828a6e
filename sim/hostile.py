"""Streams that no well-behaved neighbour would send: every rule of the ports broken at random.

The unit must never hang, must answer a broken row as the golden model says, and must give the next
good row bit for bit. Resets come in the middle of rows; what was in flight may then be lost, what
comes out before and after must be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import passes
from .beats import Beats
from .exchange import send_parts
from .kinds import kind_of
from .scoreboard import NOTHING, Score
from .sidecar import Unit
from .simulator import Model
from .testbench import Neighbours

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
    names = (*kind.frames, *(passes.FRAMES if unit.two_passes else ()))
    drawn = [names[place] for place in rng.integers(0, len(names), frames)]
    drawn[-GOOD_FRAMES:] = ["good"] * GOOD_FRAMES
    parts: list[list[dict[str, Beats]]] = [[]]
    for frame in drawn:
        parts[-1].append(kind.hostile_frame(frame, unit, rng))
        if frame.startswith("reset"):
            parts.append([])
    return HostileStream(
        parts=[_in_order(part) for part in parts],
        kinds={frame: drawn.count(frame) for frame in dict.fromkeys(names)},
    )


def _in_order(frames: Sequence[dict[str, Beats]]) -> dict[str, Beats]:
    """The beats of every stream, frame after frame."""
    return {name: Beats.concatenate([frame[name] for frame in frames]) for name in frames[0]}


def run_hostile(
    unit: Unit, model: Model, stream: HostileStream, folder: Path, *, seed: int
) -> Score:
    """Stream hostile beats with random pauses on all sides; compare between the resets."""
    came = send_parts(unit, model, stream.parts, folder, Neighbours(True, seed))
    resets, reached = len(stream.parts) - 1, len(came.parts) - 1
    if reached < resets and not came.flooded:
        return Score(0, 1, f"hung: {reached} of {resets} resets were reached")
    total = NOTHING
    for number, part in enumerate(came.parts):
        # a reset swallows what is in flight
        part_score = part.score() if number == resets else part.score_begun()
        first = f"after reset {number}: {part_score.first}" if part_score.first else ""
        total += Score(part_score.elements, part_score.mismatches, first)
    return total + Score(0, int(came.hung), "hung: not every beat was accepted" * came.hung)
