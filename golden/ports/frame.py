"""How a stream of beats is cut into rows, and which rows are in error.

A row is a frame: its beats up to the one with ``last``. It has at most ``max_beats`` beats and
``max_length`` elements; every beat but the last is full, and the last one's elements are contiguous
from lane 0 (it may have none). A row that breaks a rule is an *error row*: it comes out with
probability 0 everywhere, all elements kept, and the error bit set. A row with too many beats comes
out cut at ``max_beats``; the rest of it is swallowed.
"""

from dataclasses import dataclass, fields

import numpy as np

from ..config import SoftmaxConfig
from ..types import Bits, Codes, Indices, Integers


@dataclass(frozen=True, eq=False, slots=True)
class Frames:
    """Complete rows of a stream.

    Attributes:
        codes: (rows, beats of the longest row * lanes), 0 where no element is present.
        present: bool, same shape: elements of the row. masked: elements left out.
        beats: beats of each row, cut at ``max_beats``.
        error: bool, (rows,).
        ends: place in the stream of the beat at which each row is complete, last or cut; of a row
            that comes twice, the first time.
        sound: beats of each row that leave before a fault of it is found: 0 unless it comes twice.
        whole: bool, (rows,): the last beat of the row has come; it has of all but the last row.
    """

    codes: Codes
    present: Bits
    masked: Bits
    beats: Integers
    error: Bits
    ends: Integers
    sound: Integers
    whole: Bits

    @property
    def faulty(self) -> Bits:
        """bool, (beats of all rows,): beats that leave in error."""
        row = np.repeat(np.arange(len(self.beats)), self.beats)
        beat = np.arange(len(row)) - (np.cumsum(self.beats) - self.beats)[row]
        return self.error[row] & (beat >= self.sound[row])

    def take(self, rows: slice | Indices) -> "Frames":
        """Some of the rows."""
        return Frames(*(getattr(self, field.name)[rows] for field in fields(self)))

    def ident(self, beats: Codes) -> Codes:
        """The tid of each row: that of the beat at which it is complete."""
        return beats[self.ends]


def cut_frames(data: Codes, keep: Bits, mask: Bits, last: Bits, config: SoftmaxConfig) -> Frames:
    """Cut beats into rows; beats after the last ``last`` belong to no row yet, unless they are
    enough for a cut one.

    Args:
        data: (beats, lanes). mask: same shape. last: (beats,).
        keep: (beats, lanes, bytes of an element's container).
    """
    ends = np.flatnonzero(last)
    if len(last) - (int(ends[-1]) + 1 if ends.size else 0) >= config.max_beats:
        ends = np.append(ends, len(last) - 1)
    count = int(ends[-1]) + 1 if ends.size else 0
    data, keep, mask, last = data[:count], keep[:count], mask[:count], last[:count]
    row = np.searchsorted(ends, np.arange(count))
    beat = np.arange(count) - np.concatenate([[0], ends + 1])[row]
    lanes = keep[:, :, 0]
    room = config.max_length - beat * config.lanes
    fault = beat_faults(keep, last) | ((beat == config.max_beats - 1) & ~last)
    fault |= (lanes & (np.arange(config.lanes) >= room[:, None])).any(axis=1)

    kept = beat < config.max_beats
    place = row[kept], beat[kept]
    beats = np.minimum(np.bincount(row, minlength=len(ends)), config.max_beats)
    shape = (len(ends), int(beats.max(initial=1)), config.lanes)
    codes, present, masked = np.zeros(shape, np.int64), np.zeros(shape, bool), np.zeros(shape, bool)
    codes[place] = np.where(lanes, data, 0)[kept]
    present[place] = lanes[kept]
    masked[place] = (lanes & mask)[kept]
    flat = shape[0], shape[1] * shape[2]
    return Frames(
        codes=codes.reshape(flat),
        present=present.reshape(flat),
        masked=masked.reshape(flat),
        beats=beats,
        error=np.bincount(row, weights=fault, minlength=len(ends)) > 0,
        ends=np.flatnonzero(beat == 0) + beats - 1,
        sound=np.zeros(len(ends), np.int64),
        whole=np.ones(len(ends), bool),
    )


def beat_faults(keep: Bits, last: Bits) -> Bits:
    """Whether beats break a rule by themselves, (beats,); arguments as of :func:`cut_frames`."""
    lanes = keep[:, :, 0]
    parts = (keep != keep[:, :, :1]).any(axis=(1, 2))
    holes = (lanes[:, :-1] < lanes[:, 1:]).any(axis=1)
    return parts | holes | (~lanes.all(axis=1) & ~last)
