"""Frames of one stream that break a rule of the ports, or keep them all."""

from dataclasses import dataclass

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.formats import Format
from ..golden.types import Bits
from .beats import Beats
from .sidecar import Stream

FRAMES = (
    "good", "good", "good", "empty", "null last beat", "too many beats", "one element too many",
    "endless", "hole", "broken container", "early partial", "reset",
)  # fmt: skip
"""What a frame can be; good ones often, so that they follow every other kind. After ``"reset"``
the unit is reset: the frame has no end."""


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """The beats of a frame without their data: keep, (beats, lanes, bytes), and last, (beats,)."""

    keep: Bits
    last: Bits

    def __len__(self) -> int:
        return len(self.last)


def full_frame(elements: int, stream: Stream) -> Shape:
    """A frame of some elements; none make an empty beat."""
    beats = max(-(-elements // stream.lanes), 1)
    present = np.arange(beats * stream.lanes).reshape(beats, stream.lanes) < elements
    keep = np.repeat(present[:, :, None], stream.octets, axis=2)
    return Shape(keep, np.arange(beats) == beats - 1)


def frame_shape(
    frame: str,
    stream: Stream,
    config: SoftmaxConfig,
    rng: np.random.Generator,
    elements: int | None = None,
) -> Shape:
    """A frame of one of :data:`FRAMES`; by any other name a good one.

    Args:
        elements: of a good one, and of others that say nothing of it; any number unless given.
    """
    lanes = stream.lanes
    lengths = {
        "too many beats": (config.max_beats + int(rng.integers(1, 3))) * lanes,
        "one element too many": config.max_length + 1,
        "endless": config.max_beats * lanes * int(rng.integers(2, 6)) + int(rng.integers(lanes)),
        "empty": 0,
    }
    drawn = int(rng.integers(1, config.max_length + 1))
    length = lengths.get(frame, drawn if elements is None else elements)
    shape = full_frame(length, stream)
    keep, last = shape.keep, shape.last
    place = int(rng.integers(len(keep)))
    if frame == "null last beat":
        keep = np.concatenate([keep[:-1], np.ones_like(keep[:1]), np.zeros_like(keep[:1])])
        last = np.arange(len(keep)) == len(keep) - 1
    elif frame == "hole":
        keep[place] = rng.random(lanes)[:, None] < 0.5
    elif frame == "broken container":
        keep[place] = rng.random(keep[place].shape) < 0.5
    elif frame == "early partial":
        keep[place, int(rng.integers(lanes)) :] = False
    elif frame == "reset":
        last[:] = False
    return Shape(keep, last)


def with_data(
    shape: Shape, stream: Stream, fmt: Format, rng: np.random.Generator, user: Bits | None = None
) -> Beats:
    """A frame's beats with random codes, of a spread of their own a beat, and a random tid."""
    beats = len(shape)
    spread = 1 << rng.integers(1, fmt.width + 1, (beats, 1))
    data = rng.integers(-spread, spread, (beats, stream.lanes))
    return Beats(
        data=np.clip(data if fmt.signed else np.abs(data), fmt.min_code, fmt.max_code),
        keep=shape.keep,
        user=np.zeros((beats, stream.user), bool) if user is None else user,
        last=shape.last,
        ident=np.full(beats, rng.integers(0, 1 << stream.ident)),
    )


def some_masked(shape: Shape, lanes: int, frame: str, rng: np.random.Generator) -> Bits:
    """Which elements of a frame are masked: all, many, some or none."""
    share = {"masked": [0.5, 0.9], "all masked": [1.0]}.get(frame, [0.0, 0.3])
    return rng.random((len(shape), lanes)) < rng.choice(share)
