"""Cutting beats into rows: every rule by hand, and a state machine that takes beat by beat."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.ports.frame import cut_frames

CONFIGS = {
    "one lane": preset("tiny", max_length=3),
    "one element": preset("tiny", max_length=1),
    "one beat": preset("tiny", lanes=4, max_length=4),
    "less than a beat": preset("tiny", lanes=4, max_length=3),
    "whole beats": preset("int8", lanes=2, max_length=6),
    "partial last beat": preset("tiny", lanes=3, max_length=7),
}


@dataclass
class Row:
    """A row as it leaves: its beats, whether it is in error, and where it left."""

    beats: list = field(default_factory=list)
    error: bool = False
    end: int = -1


class Cutter:
    """The rules of ``golden.frame`` once more, one beat at a time."""

    def __init__(self, config):
        self.config, self.rows, self.row, self.swallowing = config, [], Row(), False

    def take(self, place, data, keep, mask, last):
        if self.swallowing:
            self.swallowing = not last
            return
        self.row.beats.append(
            [(int(d), bool(k[0]), bool(m)) for d, k, m in zip(data, keep, mask, strict=True)]
        )
        self.row.error |= not self.legal(keep, last)
        cut = len(self.row.beats) == self.config.max_beats
        if last or cut:
            self.row.error |= not last
            self.row.end = place
            self.rows.append(self.row)
            self.row, self.swallowing = Row(), not last

    def legal(self, keep, last):
        """Whether a beat keeps the rules; it is already the newest of the row."""
        present = []
        for element in keep:
            if len({bool(byte) for byte in element}) != 1:
                return False
            present.append(bool(element[0]))
        count = present.index(False) if False in present else len(present)
        if any(present[count:]):
            return False
        before = (len(self.row.beats) - 1) * self.config.lanes
        return (last or count == self.config.lanes) and before + count <= self.config.max_length


def check(config, data, keep, mask, last):
    """Compare ``cut_frames`` with the state machine."""
    frames = cut_frames(data, keep, mask, last, config)
    cutter = Cutter(config)
    for place, beat in enumerate(zip(data, keep, mask, last, strict=True)):
        cutter.take(place, *beat)
    rows = cutter.rows
    assert frames.beats.tolist() == [len(row.beats) for row in rows]
    assert frames.error.tolist() == [row.error for row in rows]
    assert frames.ends.tolist() == [row.end for row in rows]
    assert frames.codes.shape == frames.present.shape == frames.masked.shape
    assert frames.codes.shape[1] % config.lanes == 0
    for number, row in enumerate(rows):
        if row.error:
            continue
        elements = [element for beat in row.beats for element in beat]
        width = frames.codes.shape[1]
        elements += [(0, False, False)] * (width - len(elements))
        expected = [(d if k else 0, k, k and m) for d, k, m in elements]
        got = zip(frames.codes[number], frames.present[number], frames.masked[number], strict=True)
        assert list(got) == expected
    return frames


def random_stream(config, beats, rng):
    """Beats that keep the rules often enough for whole rows to be legal."""
    lanes, octets = config.lanes, config.input.container // 8
    last = rng.random(beats) < rng.choice([0.1, 0.3, 0.7])
    count = np.where(rng.random(beats) < 0.8, lanes, rng.integers(0, lanes + 1, beats))
    keep = np.repeat((np.arange(lanes) < count[:, None])[:, :, None], octets, axis=2)
    broken = rng.random(beats) < 0.05
    keep[broken] = rng.random(keep[broken].shape) < 0.5
    holes = rng.random(beats) < 0.05
    keep[holes] = rng.random((int(holes.sum()), lanes, 1)) < 0.5
    data = rng.integers(-100, 100, (beats, lanes))
    return data, keep, rng.random((beats, lanes)) < 0.2, last


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_are_cut_as_a_state_machine_cuts_them(name):
    config = CONFIGS[name]
    rng = np.random.default_rng(7)
    legal = 0
    for _ in range(40):
        frames = check(config, *random_stream(config, int(rng.integers(0, 60)), rng))
        legal += int((~frames.error).sum())
    assert legal > 50


SMALL = preset("int8", lanes=3, max_length=7)  # three beats, one element in the third


def rows_of(*beats):
    """The frames of beats of int8 elements, each beat a string: x present, . absent, ! last."""
    last = np.array([beat.endswith("!") for beat in beats])
    lanes = np.array([[lane == "x" for lane in beat.rstrip("!")] for beat in beats])
    data = np.arange(lanes.size).reshape(lanes.shape) + 1
    return check(SMALL, data, lanes[:, :, None], np.zeros_like(lanes), last)


@pytest.mark.parametrize(
    ("beats", "error", "lengths", "ends"),
    [
        (["xxx!"], [0], [1], [0]),
        (["xxx", "xx.!"], [0], [2], [1]),
        (["...!"], [0], [1], [0]),
        (["xxx", "...!"], [0], [2], [1]),
        (["xxx", "xxx", "x..!"], [0], [3], [2]),
        (["xxx", "xxx", "xx.!"], [1], [3], [2]),  # eight elements
        (["xxx", "xxx", "xxx!"], [1], [3], [2]),
        (["xx.", "x..!"], [1], [2], [1]),  # partial before the last
        (["...", "x..!"], [1], [2], [1]),
        (["x.x!"], [1], [1], [0]),  # a hole
        ([".xx!"], [1], [1], [0]),
        (["xxx", "xxx", "x.."], [1], [3], [2]),  # full, and no last: cut
        (["xxx", "xxx", "xxx", "xxx", "xxx!"], [1], [3], [2]),  # the rest is swallowed
        (["xxx"] * 9 + ["xxx!", "x..!"], [1, 0], [3, 1], [2, 10]),
        (["x.x!", "xxx!"], [1, 0], [1, 1], [0, 1]),  # the next row is untouched
        (["xxx!", "xxx"], [0], [1], [0]),  # the second row has not left yet
        (["xxx!", "xxx", "xxx"], [0], [1], [0]),
        (["xxx!", "xxx", "xxx", "x.."], [0, 1], [1, 3], [0, 3]),
        (["xxx!", "xxx", "xxx", "xxx", "xxx", "xxx"], [0, 1], [1, 3], [0, 3]),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else None,
)
def test_every_rule(beats, error, lengths, ends):
    frames = rows_of(*beats)
    assert frames.error.tolist() == [bool(value) for value in error]
    assert frames.beats.tolist() == lengths
    assert frames.ends.tolist() == ends


def test_no_beats_are_no_rows():
    frames = check(SMALL, *random_stream(SMALL, 0, np.random.default_rng(0)))
    assert frames.codes.shape == (0, 3)


def test_part_of_a_container_is_a_fault():
    config = preset("tiny", lanes=2, max_length=4)
    data, mask, last = np.ones((2, 2), int), np.zeros((2, 2), bool), np.ones(2, bool)
    keep = np.ones((2, 2, 2), bool)
    keep[0, 1] = True, False
    assert check(config, data, keep, mask, last).error.tolist() == [True, False]


def test_absent_elements_have_no_code_and_no_mask():
    keep = np.array([[True, True, False]])[:, :, None]
    frames = cut_frames(
        np.array([[5, -6, 7]]), keep, np.ones((1, 3), bool), np.array([True]), SMALL
    )
    assert frames.codes.tolist() == [[5, -6, 0]]
    assert frames.masked.tolist() == [[True, True, False]]


def test_the_tid_is_that_of_the_beat_at_which_the_row_leaves():
    frames = rows_of("xxx", "x..!", "xxx", "xxx", "x..", "xxx", "xxx!", "x..!")
    assert frames.ends.tolist() == [1, 4, 7]
    assert frames.ident(np.arange(8) + 10).tolist() == [11, 14, 17]
