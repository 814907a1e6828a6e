"""The winner of a row is the first of its largest active elements, whatever the beats."""

import numpy as np
import pytest

from softmaxfx.golden.stages.argmax import argmax
from softmaxfx.hdl.stages.argmax import Argmax

from ..streams import trace

WIDTH = 5


def rows_of(lanes, rng, count=60):
    """(codes, active) of rows of one beat or more: any, ties, the lowest code, masked elements."""
    low, high = -(1 << WIDTH - 1), 1 << WIDTH - 1
    for number in range(count):
        shape = int(rng.integers(1, 5)) * lanes
        codes = rng.integers(low, high, shape)
        if number % 3 == 1:
            codes = rng.choice([codes[0], low], shape)
        if number % 7 == 2:
            codes[:] = low
        yield codes, rng.random(shape) >= rng.choice([0, 0.5, 0.9, 1])


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
def test_rows_with_pauses_give_goldens_places(lanes):
    rng = np.random.default_rng(185 + lanes)
    dut = Argmax(lanes=lanes, width=WIDTH, places=4 * lanes)
    stimulus, ends, wanted = [], [], []
    for codes, active in rows_of(lanes, rng):
        beats = len(codes) // lanes
        for beat in range(beats):
            while rng.random() < 0.2:  # no beat: whatever the lanes hold
                stimulus.append({"i_valid": 0, "i_last": int(rng.integers(2))})
            part = slice(beat * lanes, (beat + 1) * lanes)
            bits = int(active[part].astype(int) @ (1 << np.arange(lanes)))
            stimulus.append(
                {"i_valid": 1, "i_last": int(beat == beats - 1), "i": codes[part].tolist(),
                 "active": bits, "place": beat * lanes}
            )  # fmt: skip
        ends.append(len(stimulus) - 1)
        wanted.append(int(argmax(codes[None], active[None])[0]))
    latency = Argmax.latency_of(lanes)
    seen = trace(dut, [*stimulus, *[{"i_valid": 0}] * latency], ["o"])
    assert [seen[end + latency][0] for end in ends] == wanted
    # a winner stays until the next row's
    for end, following, place in zip(ends, ends[1:], wanted, strict=False):
        assert {seen[cycle + latency][0] for cycle in range(end, following)} == {place}


def test_golden_takes_the_first_of_the_largest_and_0_of_none():
    codes = np.array([[1, 3, 3], [-9, -9, -9], [5, 2, 1], [7, 8, 9]])
    active = np.array([[1, 1, 1], [0, 1, 1], [0, 1, 1], [0, 0, 0]], bool)
    assert argmax(codes, active).tolist() == [1, 1, 1, 0]
