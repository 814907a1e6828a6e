"""How a stream of frames is cut into rows where long ones come twice, and which are in error.

A row of up to ``buffer_length`` elements is a frame, see :mod:`.frame`. A longer one is two frames.
The first is marked in every beat: it is summed, and nothing leaves. The frame that follows is the
same row again, whatever it is: its beats leave as they come. It must not be marked, and must have
the elements of the first, not one more or less; what it has too many is swallowed. Faults of the
first pass make an error row; those of the second, a row in error from the beat that shows them on.
A frame that comes once, and is too long for that, is an error row cut at the beats that are held.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..types import Bits, Codes
from .frame import Frames, beat_faults


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is taken of a frame: beats from ``start``, ``first_fault`` of them without a fault, and
    whether its last beat has come, or one at which it is cut."""

    start: int
    beats: int
    first_fault: int
    ended: bool

    @property
    def end(self) -> int:
        """Place of its last beat."""
        return self.start + self.beats - 1


@dataclass(frozen=True, slots=True)
class _Row:
    """A row: the frame of its elements, and what leaves."""

    elements: _Frame
    leaving: _Frame
    sound: int


def cut_passes(
    data: Codes, keep: Bits, mask: Bits, first: Bits, last: Bits, config: SoftmaxConfig
) -> Frames:
    """Cut beats into rows. Of a last row that is still leaving, the beats that have come.

    Args:
        data, keep, mask, last: see :func:`.frame.cut_frames`.
        first: (beats,): the mark of a first pass.
    """
    rows = list(_Cutter(keep, first, last, config).rows())
    most = max((row.elements.beats for row in rows), default=1)
    shape = len(rows), most, config.lanes
    codes, present, masked = np.zeros(shape, np.int64), np.zeros(shape, bool), np.zeros(shape, bool)
    for number, row in enumerate(rows):
        beats = slice(row.elements.start, row.elements.start + row.elements.beats)
        lanes = keep[beats, :, 0]
        codes[number, : len(lanes)] = np.where(lanes, data[beats], 0)
        present[number, : len(lanes)] = lanes
        masked[number, : len(lanes)] = lanes & mask[beats]
    flat = len(rows), most * config.lanes
    beats = np.array([row.leaving.beats for row in rows], np.int64)
    found = [row.leaving.first_fault < row.leaving.beats for row in rows]
    return Frames(
        codes=codes.reshape(flat),
        present=present.reshape(flat),
        masked=masked.reshape(flat),
        beats=beats,
        error=np.array(found, bool),
        ends=np.array([row.elements.end for row in rows], np.int64),
        sound=np.array([row.sound for row in rows], np.int64),
        whole=np.array([row.leaving.ended for row in rows], bool),
    )


class _Cutter:
    """Reads a stream frame by frame; arguments as of :func:`cut_passes`."""

    def __init__(self, keep: Bits, first: Bits, last: Bits, config: SoftmaxConfig):
        self.lanes, self.first, self.last, self.config = keep[:, :, 0], first, last, config
        self.faults = beat_faults(keep, last)
        self.stops = np.flatnonzero(last) + 1

    def rows(self) -> Iterator[_Row]:
        """The rows, in order."""
        start, summed = 0, None
        while start < len(self.last):
            further = self.stops[np.searchsorted(self.stops, start, side="right") :]
            stop = int(further[0]) if further.size else None
            if summed is not None:
                second = self._second(start, stop, summed)
                yield _Row(summed, second, second.first_fault)
                summed = None
            else:
                marked = bool(self.first[start])
                frame = self._frame(start, stop, marked=marked)
                if marked and frame.ended:
                    summed = frame
                elif frame.ended:
                    yield _Row(frame, frame, 0)
            start = len(self.last) if stop is None else stop

    def _frame(self, start: int, stop: int | None, *, marked: bool) -> _Frame:
        """A frame that is a first pass, or comes once."""
        config = self.config
        length = config.max_length if marked else config.held_length
        most = -(-length // config.lanes)
        room = length - (most - 1) * config.lanes
        frame = self._cut(start, stop, most, marked=marked)
        if frame.beats == most and (not self.last[frame.end] or self.lanes[frame.end, room:].any()):
            return self._with_fault(frame)
        return frame

    def _second(self, start: int, stop: int | None, summed: _Frame) -> _Frame:
        """The frame after a first pass; a fault of that is one of its first beat."""
        frame = self._cut(start, stop, summed.beats, marked=False)
        if summed.first_fault < summed.beats:
            return _Frame(frame.start, frame.beats, 0, frame.ended)
        final, alike = frame.beats == summed.beats, self.lanes[frame.end] == self.lanes[summed.end]
        if self.last[frame.end] != final or (final and not alike.all()):
            return self._with_fault(frame)
        return frame

    def _cut(self, start: int, stop: int | None, most: int, *, marked: bool) -> _Frame:
        """At most so many beats of a frame, and those faults of them that are no one's length."""
        came = (len(self.last) if stop is None else stop) - start
        beats = min(came, most)
        taken = slice(start, start + beats)
        faults = np.flatnonzero(self.faults[taken] | (self.first[taken] != marked))
        return _Frame(
            start, beats, int(faults[0]) if faults.size else beats, stop is not None or came >= most
        )

    @staticmethod
    def _with_fault(frame: _Frame) -> _Frame:
        """A fault of the frame's last beat."""
        return _Frame(
            frame.start, frame.beats, min(frame.first_fault, frame.beats - 1), frame.ended
        )
