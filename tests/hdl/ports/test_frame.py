"""Beats are cut into rows and judged as golden does, whatever elements they carry."""

import numpy as np
import pytest

from softmaxfx.golden import SQ, SoftmaxConfig
from softmaxfx.hdl.ports.frame import Frame

from ..hostile import Stream, random_stream
from ..rows import packed
from ..streams import trace

INPUTS = {8: SQ(5, 1), 16: SQ(5, 6), 24: SQ(5, 19)}
"""An input format for each container, in bits: random beats are made for it."""
IDLE = {"i_valid": 0, "i_last": 0}
OUTPUTS = ("o_valid", "o_last", "o_present", "error")


def config_of(container: int, lanes: int, max_length: int) -> SoftmaxConfig:
    return SoftmaxConfig(input=INPUTS[container], lanes=lanes, max_length=max_length)


def inputs(stream: Stream) -> list[dict]:
    """The stage's inputs of every beat."""
    beats = zip(stream.last.tolist(), stream.present(), stream.broken(), strict=True)
    return [
        {"i_valid": 1, "i_last": int(last), "present": present, "broken": broken}
        for last, present, broken in beats
    ]


def expected(config: SoftmaxConfig, stream: Stream) -> list[tuple | None]:
    """(last, keep, error) of each beat, the error on a row's last one; None for a swallowed one."""
    frames, present = stream.frames(config), stream.keep[:, :, 0]
    answer: list[tuple | None] = [None] * len(stream.last)
    for end, count, error in zip(frames.ends, frames.beats, frames.error, strict=True):
        for beat in range(end - count + 1, end + 1):
            last = int(beat == end)
            answer[beat] = last, packed(present[beat]), int(error) if last else None
    return answer


def run(config: SoftmaxConfig, stimulus: list[dict]) -> list[tuple | None]:
    """What comes out at each cycle's latency."""
    stimulus = stimulus + [IDLE] * Frame.latency
    seen = trace(Frame(config=config), stimulus, OUTPUTS)[Frame.latency :]
    assert not any(last for valid, last, *_ in seen if not valid)
    return [
        (last, keep, error if last else None) if valid else None
        for valid, last, keep, error in seen
    ]


def with_gaps(beats: list[dict], gaps: float) -> tuple[list[dict], list[int]]:
    """Beats and gaps, where anything is kept; the cycles of the beats."""
    rng, stimulus, place = np.random.default_rng(88), [], []
    for beat in beats:
        while rng.random() < gaps:
            stimulus.append(beats[rng.integers(len(beats))] | IDLE)
        place.append(len(stimulus))
        stimulus.append(beat)
    return stimulus, place


@pytest.mark.parametrize("container", INPUTS, ids="container of {} bits".format)
@pytest.mark.parametrize("lanes", [1, 2, 3, 8], ids="{} lanes".format)
def test_hostile_beats_are_cut_and_judged_as_golden_does(lanes, container):
    for length in sorted({1, lanes, 3 * lanes, max(3 * lanes - 1, 1), 2 * lanes + 1}):
        config = config_of(container, lanes, length)
        stream = random_stream(config, 30, seed=length)
        error = stream.frames(config).error
        assert 3 < error.sum() < 27, "the stimulus has both good and broken rows"
        stimulus, place = with_gaps(inputs(stream), [0.0, 0.4][length % 2])
        gate = run(config, stimulus)
        assert [gate[cycle] for cycle in place] == expected(config, stream)
        assert len(stimulus) - gate.count(None) == sum(map(bool, expected(config, stream)))


@pytest.mark.parametrize("length", [1, 4, 9])
def test_a_row_without_an_end_leaves_cut_once(length):
    config = config_of(8, 2, length)
    beat = {"i_valid": 1, "i_last": 0, "present": 3, "broken": 0}
    gate, most = run(config, [beat] * 100), config.max_beats
    assert gate[:most] == [(int(place == most - 1), 3, None) for place in range(most - 1)] + [
        (1, 3, 1)
    ]
    assert not any(gate[most:])


@pytest.mark.parametrize("row", ["a hole", "too long", "endless", "good"])
@pytest.mark.parametrize("cycles", range(Frame.latency + 1), ids="{} cycles later".format)
def test_after_a_reset_in_the_middle_of_a_row_rows_are_cut_anew(row, cycles):
    config = config_of(8, 4, 10)
    present, count = {
        "a hole": (0b1101, 2), "too long": (15, 4), "endless": (15, 40), "good": (15, 2),
    }[row]  # fmt: skip
    before = [{"i_valid": 1, "i_last": 0, "present": present, "broken": 0}] * count + [
        IDLE
    ] * cycles
    before[-1] = before[-1] | {"reset": 1}
    stream = random_stream(config, 12, seed=3)
    after = inputs(stream)
    after[0] |= {"reset": 0}
    gate = run(config, before + after)[len(before) :]
    assert gate == expected(config, stream)
