"""Logits of which long rows are sent twice: the beats of both passes, legal or not, and their rows.

The tuser of such beats is {first pass, mask[lanes]}.
"""

from dataclasses import replace

import numpy as np

from ..golden.ports.frame import Frames, cut_frames
from ..golden.ports.passes import cut_passes
from ..golden.types import Bits, Integers
from .beats import Beats
from .sidecar import Unit

FRAMES = (
    "long row once", "short row twice", "resent shorter", "resent longer", "fault in first pass",
    "fault when resent", "first pass twice", "changed mark", "reset between passes",
)  # fmt: skip
"""What can be wrong with passes, see :func:`hostile_passes`; short rows may come twice."""


def rows_of(beats: Beats, unit: Unit) -> Frames:
    """The rows that the golden model cuts beats of logits into."""
    mask = beats.user[:, : unit.lanes]
    if unit.two_passes:
        first = beats.user[:, unit.lanes]
        return cut_passes(beats.data, beats.keep, mask, first, beats.last, unit.config)
    return cut_frames(beats.data, beats.keep, mask, beats.last, unit.config)


def in_passes(beats: Beats, lengths: Integers, unit: Unit) -> Beats:
    """Beats of rows, each row a frame, as the unit takes them: long rows twice."""
    if not unit.two_passes:
        return beats
    order, first, start = [], [], 0
    for frames, count in zip(unit.frames_of(lengths), -(-lengths // unit.lanes), strict=True):
        order += [np.arange(start, start + count)] * frames
        first += [np.ones(count, bool)] * (frames - 1) + [np.zeros(count, bool)]
        start += count
    return marked(beats.take(np.concatenate(order)), unit, np.concatenate(first))


def marked(beats: Beats, unit: Unit, first: Bits) -> Beats:
    """Beats with the mark of a first pass, (beats,), in a unit whose rows come twice."""
    if not unit.two_passes:
        return beats
    return replace(beats, user=np.column_stack([beats.user[:, : unit.lanes], first]))


def hostile_passes(frame: str, beats: Beats, unit: Unit, rng: np.random.Generator) -> Beats:
    """A frame of beats in the passes of a row, of a kind of :data:`FRAMES` or of a frame's own.

    A frame with faults of its own is sent once or twice, a good one as its length asks for.
    """
    once = np.zeros(len(beats), bool)
    first, second = marked(beats, unit, ~once), marked(beats, unit, once)
    parts = {
        "long row once": [second],
        "resent shorter": [first, _shorter(second, unit, rng)],
        "resent longer": [first, _longer(second, unit, rng)],
        "fault in first pass": [_holed(first, rng), second],
        "fault when resent": [first, _holed(second, rng)],
        "first pass twice": [first, first, *([second] if rng.random() < 0.5 else [])],
        "changed mark": _flipped([first, second], unit, rng),
        "reset between passes": [first, _unfinished(second, rng)],
        "reset": [_unfinished(first, rng) if rng.random() < 0.5 else _unfinished(second, rng)],
    }.get(frame)
    if parts is None:
        long = beats.keep[:, :, 0].sum() > unit.config.held_length
        twice = frame == "short row twice" or (rng.random() < 0.9 if long else rng.random() < 0.1)
        parts = [first, second] if twice else [second]
    return Beats.concatenate(parts)


def _shorter(beats: Beats, unit: Unit, rng: np.random.Generator) -> Beats:
    return _resized(beats, int(rng.integers(0, max(beats.keep[:, :, 0].sum(), 1))), unit)


def _longer(beats: Beats, unit: Unit, rng: np.random.Generator) -> Beats:
    more = int(rng.integers(1, 3 * unit.lanes + 1))
    return _resized(beats, int(beats.keep[:, :, 0].sum()) + more, unit)


def _resized(beats: Beats, elements: int, unit: Unit) -> Beats:
    """A frame of some elements, those of another as far as it goes."""
    count = max(-(-elements // unit.lanes), 1)
    there = np.arange(count * unit.lanes).reshape(count, unit.lanes) < elements
    return replace(
        beats.take(np.minimum(np.arange(count), len(beats) - 1)),
        keep=np.repeat(there[:, :, None], beats.keep.shape[2], axis=2),
        last=np.arange(count) == count - 1,
    )


def _holed(beats: Beats, rng: np.random.Generator) -> Beats:
    keep, place = beats.keep.copy(), int(rng.integers(len(beats)))
    keep[place] = rng.random(keep[place].shape) < 0.5
    return replace(beats, keep=keep)


def _flipped(parts: list[Beats], unit: Unit, rng: np.random.Generator) -> list[Beats]:
    """Passes of which one beat has the other mark."""
    user, place = [part.user.copy() for part in parts], int(rng.integers(len(parts[0])))
    user[rng.integers(len(parts))][place, unit.lanes] ^= True
    return [replace(part, user=own) for part, own in zip(parts, user, strict=True)]


def _unfinished(beats: Beats, rng: np.random.Generator) -> Beats:
    beats = beats.take(slice(0, int(rng.integers(1, len(beats) + 1))))
    return replace(beats, last=np.zeros(len(beats), bool))
