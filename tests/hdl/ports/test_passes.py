"""Frames are cut into passes and judged as golden does, whatever elements they carry."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, SoftmaxConfig
from softmaxfx.golden.ports.passes import cut_passes
from softmaxfx.hdl.ports.passes import Passes

from ..rows import packed
from ..streams import trace

IDLE = {"i_valid": 0, "i_last": 0}
OUTPUTS = ("o_valid", "o_last", "o_present", "error", "first", "second")
SIZES = {
    "one lane": (1, 5, 2),
    "one element held": (1, 4, 1),
    "whole beats": (2, 8, 4),
    "partial last beats": (3, 10, 5),
    "one beat held": (4, 9, 4),
    "one beat more": (8, 16, 9),
}


def config_of(name):
    lanes, most, held = SIZES[name]
    return SoftmaxConfig(
        input=SQ(5, 6), datapath="exact_sum", lanes=lanes, max_length=most, buffer_length=held
    )


def frames_of(config, rng, count):
    """(keep, first, last) of frames that keep the rules, or break one, or all."""
    lanes, longest = config.lanes, config.max_length
    keeps, firsts, lasts = [], [], []
    for _ in range(count):
        length = int(rng.integers(0, longest + 1))
        other = max(length + int(rng.choice([0] * 6 + [-1, 1, lanes, 3 * longest])), 0)
        first = length > config.buffer_length or rng.random() < 0.2
        passes = [(length, True), (other, False)] if first else [(other, False)]
        kept = [one for one in passes if rng.random() < 0.95]
        for elements, mark in kept:
            beats = max(-(-elements // lanes), 1)
            keep = np.arange(beats * lanes).reshape(beats, lanes) < elements
            keep = np.repeat(keep[:, :, None], 2, axis=2)
            if rng.random() < 0.1:
                keep[rng.integers(beats)] = rng.random((lanes, 2)) < 0.5
            keeps.append(keep)
            firsts.append(np.where(rng.random(beats) < 0.02, not mark, mark))
            lasts.append(np.arange(beats) == beats - 1)
    return np.concatenate(keeps), np.concatenate(firsts), np.concatenate(lasts)


def inputs(keep, first, last):
    """The stage's inputs of every beat."""
    return [
        {
            "i_valid": 1,
            "i_first": int(mark),
            "i_last": int(end),
            "present": packed(lanes[:, 0]),
            "broken": packed(lanes.any(axis=1) & ~lanes.all(axis=1)),
        }
        for lanes, mark, end in zip(keep, first, last, strict=True)
    ]


def expected(config, keep, first, last):
    """(row, beat) in error of the beats that leave, and how many rows there are, by golden."""
    none = np.zeros(keep.shape[:2], np.int64)
    frames = cut_passes(none, keep, none.astype(bool), first, last, config)
    row = np.repeat(np.arange(len(frames.beats)), frames.beats)
    ends = np.append(row[1:] != row[:-1], True)[: len(row)]
    if len(row) and not frames.whole[-1]:
        ends[-1] = False
    return frames, list(zip(ends.tolist(), frames.faulty.tolist(), strict=True))


def leaving(seen, latency):
    """(last, in error) of the beats that leave in cycle order; a row that comes once is judged at
    its end, and its beats share that."""
    answer, row = [], []
    for valid, last, _, error, first, second in seen[latency:]:
        assert valid or not (last or first or second)
        if not valid or first:
            continue
        row.append([bool(last), bool(error)])
        if second:
            answer += row
            row = []
        elif last:
            answer += [[end, bool(error)] for end, _ in row]
            row = []
    return [tuple(beat) for beat in answer]


@pytest.mark.parametrize("gaps", [0.0, 0.4])
@pytest.mark.parametrize("name", SIZES)
def test_hostile_frames_are_cut_and_judged_as_golden_does(name, gaps):
    config, rng = config_of(name), np.random.default_rng(5)
    keep, first, last = frames_of(config, rng, 150)
    stimulus = []
    for beat in inputs(keep, first, last):
        while rng.random() < gaps:
            stimulus.append(beat | IDLE)
        stimulus.append(beat)
    frames, answer = expected(config, keep, first, last)
    assert 10 < frames.error.sum() < 140
    assert (frames.sound[frames.error] > 0).sum() > (0 if config.lanes > 7 else 2)
    seen = trace(Passes(config=config), stimulus + [IDLE] * Passes.latency, OUTPUTS)
    assert leaving(seen, Passes.latency) == answer


@pytest.mark.parametrize("before", ["a first pass", "half a first pass", "half a second pass"])
def test_after_a_reset_nothing_is_left_of_a_pass(before):
    config = config_of("whole beats")
    full = {"i_valid": 1, "i_last": 0, "present": 3, "broken": 0}
    first = [full | {"i_first": 1}] * 3 + [full | {"i_first": 1, "i_last": 1}]
    second = [full | {"i_first": 0}] * 2
    sent = {
        "a first pass": first, "half a first pass": first[:2], "half a second pass": first + second
    }[before]  # fmt: skip
    sent = [*sent, *[IDLE] * 4]
    sent[-1] = sent[-1] | {"reset": 1}
    row = [full | {"i_first": 0, "reset": 0}, full | {"i_first": 0, "i_last": 1}]
    seen = trace(Passes(config=config), sent + row + [IDLE] * Passes.latency, OUTPUTS)
    came = leaving(seen[len(sent) :], Passes.latency)
    assert came == [(False, False), (True, False)]
