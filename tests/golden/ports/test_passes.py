"""Cutting a stream in which long rows come twice: rules by hand, and a machine that takes beats."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.ports.passes import cut_passes

CONFIGS = {
    name: preset("tiny", datapath="exact_sum", lanes=lanes, max_length=most, buffer_length=held)
    for name, (lanes, most, held) in {
        "one lane": (1, 5, 2),
        "one element held": (1, 4, 1),
        "whole beats": (2, 8, 4),
        "partial last beats": (3, 10, 5),
        "one beat held": (4, 9, 4),
    }.items()
}


@dataclass
class Row:
    """A row as it leaves: its beats, the first that is at fault, where it was complete, whether it
    came once, and its elements."""

    beats: int = 0
    once: bool = False
    fault: int | None = None
    end: int = -1
    whole: bool = False
    elements: list = field(default_factory=list)


class Machine:
    """The rules of ``golden.passes`` once more, one beat at a time."""

    def __init__(self, config):
        self.config, self.rows, self.swallowing = config, [], False
        self.summed, self.row, self.marked = None, None, False

    def take(self, place, data, keep, mask, first, last):
        if self.swallowing:
            self.swallowing = not last
            return
        if self.row is None:
            self.row, self.marked = Row(), bool(first) and self.summed is None
            if self.summed is not None:
                self.rows.append(self.row)
                self.row.elements, self.row.end = self.summed.elements, self.summed.end
        row, second = self.row, self.summed is not None
        beat = [(int(d), bool(k[0]), bool(m)) for d, k, m in zip(data, keep, mask, strict=True)]
        row.beats += 1
        if not second:
            row.elements = [*row.elements, beat]
        final = row.beats == self.longest()
        good = self.legal(keep, last, final, row.beats) and bool(first) == self.marked
        if second:
            good &= self.summed.fault is None
        if not good and row.fault is None:
            row.fault = row.beats - 1
        if last or final:
            row.whole, self.row, self.swallowing = True, None, not last
            row.end = row.end if second else place
            if not second and not self.marked:
                row.once = True
                self.rows.append(row)
            self.summed = row if self.marked and not second else None

    def longest(self):
        """Beats of the longest row that may come."""
        if self.summed is not None:
            return self.summed.beats
        length = self.config.max_length if self.marked else self.config.buffer_length
        return -(-length // self.config.lanes)

    def legal(self, keep, last, final, beats):
        present = []
        for element in keep:
            if len({bool(byte) for byte in element}) != 1:
                return False
            present.append(bool(element[0]))
        count = sum(present)
        if any(present[count:]) or (count < self.config.lanes and not last):
            return False
        if self.summed is not None:
            held = [kept for _, kept, _ in self.summed.elements[-1]]
            return last == final and (not final or held == present)
        length = self.config.max_length if self.marked else self.config.buffer_length
        return (last or not final) and (beats - 1) * self.config.lanes + count <= length


def check(config, data, keep, mask, first, last):
    """Compare ``cut_passes`` with the machine."""
    frames = cut_passes(data, keep, mask, first, last, config)
    machine = Machine(config)
    for place, beat in enumerate(zip(data, keep, mask, first, last, strict=True)):
        machine.take(place, *beat)
    rows = machine.rows
    assert frames.beats.tolist() == [row.beats for row in rows]
    assert frames.error.tolist() == [row.fault is not None for row in rows]
    assert frames.whole.tolist() == [row.whole for row in rows]
    assert frames.ends.tolist() == [row.end for row in rows]
    lanes, faulty = config.lanes, []
    for number, row in enumerate(rows):
        bad = row.beats if row.fault is None else 0 if row.once else row.fault
        faulty += [beat >= bad for beat in range(row.beats)]
        if row.fault is None:
            expected = [(d if k else 0, k, k and m) for beat in row.elements for d, k, m in beat]
            columns = frames.codes[number], frames.present[number], frames.masked[number]
            got = list(zip(*columns, strict=True))
            assert got[: len(expected)] == expected
            assert not any(kept for _, kept, _ in got[len(expected) :])
    assert frames.faulty.tolist() == faulty
    assert frames.codes.shape[1] % lanes == 0
    return frames


def random_stream(config, frames, rng):
    """Frames that keep the rules often, or nearly."""
    lanes, octets = config.lanes, config.input.container // 8
    keeps, firsts, lasts = [], [], []

    def add(length, marked):
        beats = max(-(-length // lanes), 1)
        lane = np.arange(beats * lanes).reshape(beats, lanes) < length
        keep = np.repeat(lane[:, :, None], octets, axis=2)
        if rng.random() < 0.1:
            keep[rng.integers(beats)] = rng.random((lanes, octets)) < 0.5
        keeps.append(keep)
        flip = np.arange(beats) == (rng.integers(beats) if rng.random() < 0.05 else -1)
        firsts.append(flip != marked)
        lasts.append(np.arange(beats) == beats - 1)

    for _ in range(frames):
        length = int(rng.integers(0, config.max_length + 1 + (rng.random() < 0.1) * 2 * lanes))
        twice = rng.random() < (0.9 if length > config.buffer_length else 0.2)
        if twice:
            add(length, True)
        if rng.random() < 0.9:
            add(max(length + int(rng.choice([0, 0, 0, 0, 0, -1, 1, lanes])), 0), False)
    keep, last = np.concatenate(keeps), np.concatenate(lasts)
    shape = keep.shape[:2]
    data = rng.integers(-100, 100, shape)
    return data, keep, rng.random(shape) < 0.2, np.concatenate(firsts), last


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_are_cut_as_a_machine_cuts_them(name):
    config, rng = CONFIGS[name], np.random.default_rng(9)
    legal = late = unfinished = 0
    for _ in range(40):
        stream = random_stream(config, int(rng.integers(1, 20)), rng)
        stop = int(rng.integers(0, len(stream[-1]) + 1))  # anywhere
        frames = check(config, *(part[:stop] for part in stream))
        legal += int((~frames.error).sum())
        late += int((frames.error & (frames.sound > 0)).sum())
        unfinished += int((~frames.whole).sum())
    assert legal > 50
    assert late > 5
    assert unfinished > 3


SMALL = preset("int8", datapath="exact_sum", lanes=2, max_length=7, buffer_length=3)


def rows_of(*beats):
    """The frames of beats, each a string: x present, . absent, 1 a first pass, ! last."""
    last = np.array([beat.endswith("!") for beat in beats])
    first = np.array(["1" in beat for beat in beats])
    lanes = np.array([[lane == "x" for lane in beat[:2]] for beat in beats])
    data = np.arange(lanes.size).reshape(lanes.shape) + 1
    return check(SMALL, data, lanes[:, :, None], np.zeros_like(lanes), first, last)


LONG = "xx", "xx", "x.!"
FIRST = "xx1", "xx1", "x.1!"


@pytest.mark.parametrize(
    ("beats", "faulty", "lengths", "ends"),
    [
        (["xx", "x.!"], "..", [2], [1]),
        (["xx", "xx!"], "!!", [2], [1]),  # an element too many to come once
        (["xx", "xx", "x.!"], "!!", [2], [1]),
        ([*FIRST, *LONG], "...", [3], [2]),
        ([*FIRST, *LONG, "x.!"], "....", [3, 1], [2, 6]),
        (["x.1!", "x.!"], ".", [1], [0]),  # short rows may come twice
        (["..1!", "..!"], ".", [1], [0]),
        ([*FIRST, "xx", "x.!"], ".!", [2], [2]),  # a beat less
        ([*FIRST, "xx", "xx", "xx!"], "..!", [3], [2]),  # an element more
        ([*FIRST, "xx", "xx", "..!"], "..!", [3], [2]),
        ([*FIRST, "xx", "xx", "xx", "x.!", "x.!"], "..!.", [3, 1], [2, 7]),  # swallowed
        ([*FIRST, *FIRST, *LONG], "!!!!!", [3, 2], [2, 7]),
        ([*FIRST, "xx", "xx1", "x.!"], ".!!", [3], [2]),
        (["xx1", "xx", "x.1!", *LONG], "!!!", [3], [2]),
        (["xx1", ".x1", "x.1!", *LONG], "!!!", [3], [2]),
        ([*FIRST, "xx", ".x", "x.!"], ".!!", [3], [2]),
        (["xx1"] * 4 + ["xx1!"] + ["xx"] * 4 + ["xx!", "x.!"], "!!!!.", [4, 1], [3, 10]),
        ([*FIRST], "", [], []),
        ([*FIRST, "xx"], ".", [1], [2]),
        (["xx1", "xx1"], "", [], []),
        (["xx"], "", [], []),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else None,
)
def test_every_rule(beats, faulty, lengths, ends):
    frames = rows_of(*beats)
    assert "".join(".!"[int(bad)] for bad in frames.faulty) == faulty
    assert frames.beats.tolist() == lengths
    assert frames.ends.tolist() == ends


def test_no_beats_are_no_rows():
    none = np.zeros((0, 2)), np.zeros((0, 2, 1), bool), np.zeros((0, 2), bool)
    frames = cut_passes(*none, np.zeros(0, bool), np.zeros(0, bool), SMALL)
    assert frames.codes.shape == (0, 2)
