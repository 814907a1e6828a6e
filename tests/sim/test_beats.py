import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.sim.beats import Beats, input_words, output_beats, pack_rows, word_bytes
from softmaxfx.sim.sidecar import Unit


def a_unit(name: str = "base", **changes) -> Unit:
    config = preset(name, **changes)
    octets = (-(-config.input.width // 8), -(-config.output.width // 8))
    return Unit(None, "top", config, *octets, config.lanes, 3 + config.lanes, {})


@pytest.mark.parametrize("lanes", [1, 2, 3, 8])
def test_rows_become_beats_in_order(lanes):
    rng = np.random.default_rng(lanes)
    lengths = rng.integers(1, 20, 30)
    codes = rng.integers(-100, 100, (30, 19))
    masked = rng.random((30, 19)) < 0.2
    expected = []
    for row, length in enumerate(lengths):
        for first in range(0, length, lanes):
            end = min(first + lanes, length)
            expected.append((codes[row, first:end], masked[row, first:end], end == length))
    beats = pack_rows(codes, masked, lengths, a_unit(lanes=lanes))
    assert len(beats) == len(expected)
    for place, (data, user, last) in enumerate(expected):
        np.testing.assert_array_equal(beats.data[place, : len(data)], data)
        np.testing.assert_array_equal(beats.user[place, : len(data)], user)
        assert beats.keep[place].tolist() == [[lane < len(data)] * 2 for lane in range(lanes)]
        assert beats.last[place] == last


@pytest.mark.parametrize("name", ["base", "int8", "wide", "tiny"])
def test_an_input_word_holds_the_fields_of_the_bench(name):
    unit = a_unit(name, lanes=2, id_width=3)
    bits = unit.input_bytes * 8
    beats = Beats(
        data=np.array([[-3, 5]]),
        keep=np.array([[[True] * unit.input_bytes, [False] * unit.input_bytes]]),
        user=np.array([[False, True]]),
        last=np.array([True]),
        ident=np.array([5]),
    )
    word = int.from_bytes(input_words(beats, unit, np.array([True]), np.array([False])), "big")
    fields = []
    for width in (bits, bits, 2 * unit.input_bytes, 2, 3, 1, 1, 1):
        fields.append(word & ((1 << width) - 1))
        word >>= width
    keep = (1 << unit.input_bytes) - 1
    assert fields == [(1 << bits) - 3, 5, keep, 0b10, 5, 1, 1, 0]
    assert word == 0


def test_output_words_are_read_back():
    unit = a_unit("base", lanes=2)
    beat = 1 << 42 | 0b01101 << 36 | 0b0011 << 32 | 0xABCD << 16 | 0x1234
    words = beat.to_bytes(8, "little") + (77).to_bytes(4, "little")
    assert len(words) == word_bytes(unit)
    beats, cycle = output_beats(words, unit)
    assert beats.data.tolist() == [[0x1234, 0xABCD]]
    assert beats.keep.tolist() == [[[True, True], [False, False]]]
    assert beats.user.tolist() == [[True, False, True, True, False]]
    assert beats.last.tolist() == [True]
    assert cycle.tolist() == [77]
