import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.sim.beats import (
    RESET_CYCLE,
    Beats,
    beat_words,
    in_beats,
    pack_rows,
    read_beats,
    recorded_bytes,
    reset_word,
    word_bytes,
)
from softmaxfx.sim.sidecar import Stream


def a_stream(lanes: int, octets: int, user: int = 0, ident: int = 0) -> Stream:
    data = lanes * octets * 8
    return Stream("s_axis", True, lanes, data, data // 8, user, ident, last=True)


BARE = Stream("m_axis_loss", False, 1, 16, 0, 3, 0, last=False)
"""A stream without tkeep, tid and tlast."""


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
            expected.append((codes[row, first:end], masked[row, first:end], end == length, row))
    user = in_beats(masked, -(-lengths // lanes), lanes)
    beats = pack_rows(codes, lengths, a_stream(lanes, 2, lanes, ident=3), user)
    assert len(beats) == len(expected)
    for place, (data, mask, last, row) in enumerate(expected):
        np.testing.assert_array_equal(beats.data[place, : len(data)], data)
        np.testing.assert_array_equal(beats.user[place, : len(data)], mask)
        assert beats.keep[place].tolist() == [[lane < len(data)] * 2 for lane in range(lanes)]
        assert beats.last[place] == last
        assert beats.ident[place] == row % 8


@pytest.mark.parametrize("name", ["base", "int8", "wide", "tiny"])
def test_an_input_word_holds_the_fields_of_the_testbench(name):
    octets = preset(name).input.container // 8
    stream = a_stream(2, octets, user=2, ident=3)
    beats = Beats(
        data=np.array([[-3, 5]]),
        keep=np.array([[[True] * octets, [False] * octets]]),
        user=np.array([[False, True]]),
        last=np.array([True]),
        ident=np.array([5]),
    )
    words = beat_words(beats, stream, np.array([True]))
    assert len(words) == word_bytes(stream)
    word, bits = int.from_bytes(words, "big"), 8 * octets
    fields = []
    for width in (bits, bits, 2 * octets, 2, 3, 1, 1, 1):
        fields.append(word & ((1 << width) - 1))
        word >>= width
    keep = (1 << octets) - 1
    assert fields == [(1 << bits) - 3, 5, keep, 0b10, 5, 1, 1, 0]
    assert word == 0


def test_a_reset_word_holds_its_mark_alone():
    stream = a_stream(2, 2, user=2)
    assert int.from_bytes(reset_word(stream), "big") == 1 << (32 + 4 + 2 + 1) + 1
    assert len(reset_word(stream)) == word_bytes(stream)


def test_a_word_holds_only_the_signals_of_its_stream():
    beats = pack_rows(np.array([[0xABCD]]), np.array([1]), BARE)
    assert int.from_bytes(beat_words(beats, BARE), "big") == 0xABCD
    assert int.from_bytes(beat_words(beats, BARE, np.array([True])), "big") == 1 << 19 | 0xABCD


def test_output_words_are_read_back():
    stream = a_stream(2, 2, user=5)
    beat = 1 << 41 | 0b01101 << 36 | 0b0011 << 32 | 0xABCD << 16 | 0x1234
    words = beat.to_bytes(8, "little") + (77).to_bytes(4, "little")
    assert len(words) == recorded_bytes(stream)
    for signed, high in ((False, 0xABCD), (True, 0xABCD - 0x10000)):
        beats, cycle = read_beats(words, stream, signed=signed)
        assert beats.data.tolist() == [[0x1234, high]]
        assert beats.keep.tolist() == [[[True, True], [False, False]]]
        assert beats.user.tolist() == [[True, False, True, True, False]]
        assert beats.last.tolist() == [True]
        assert cycle.tolist() == [77]


def test_what_a_stream_does_not_have_is_as_if_it_were_always_set():
    words = (0b101 << 16 | 0x1234).to_bytes(4, "little") + b"\x07\0\0\0" + b"\xff" * 8
    beats, cycle = read_beats(words, BARE, signed=False)
    assert beats.data.tolist()[0] == [0x1234]
    assert beats.keep.all()
    assert beats.last.all()
    assert beats.user.tolist()[0] == [True, False, True]
    assert beats.ident.tolist() == [0, 0]
    assert cycle.tolist() == [7, RESET_CYCLE]
