"""The dither is Simon 32/64 of fewer rounds, a pure function, and as random as rounding needs."""

import itertools

import numpy as np
import pytest

from softmaxfx.golden.stages import dither
from softmaxfx.golden.stages.dither import random_bits, round_keys

KEY = (0x0100, 0x0908, 0x1110, 0x1918)
"""The paper's test vector for Simon 32/64; the first round's key word first."""
PLAIN, CIPHER = (0x6565, 0x6877), (0xC69B, 0xE9BB)
CORNERS = (0, 1, 0x7FFF, 0x8000, 0xFFFF)
SIGMAS = 5
"""Deviations beyond which a count is taken for no accident; the draws are fixed."""


def rotate(word, left):
    """16 bits rotated left, or right where negative."""
    text = f"{word:016b}"
    return int(text[left % 16 :] + text[: left % 16], 2)


def z0(length):
    """The paper's sequence z0: period 31, from a shift register of five bits."""
    bits = [1] * 5
    while len(bits) < length:
        bits.append(bits[-5] ^ bits[-4] ^ bits[-3] ^ bits[-1])
    return bits


def expanded(words, rounds):
    """The paper's key schedule for four words."""
    keys = list(words)
    for z in z0(rounds)[: rounds - 4]:
        mixed = rotate(keys[-1], -3) ^ keys[-3]
        mixed ^= rotate(mixed, -1)
        keys.append((keys[-4] ^ 0xFFFF) ^ mixed ^ z ^ 3)
    return keys


def encrypted(keys, x, y):
    """Both words after a round for every key."""
    for key in keys:
        x, y = y ^ (rotate(x, 1) & rotate(x, 8)) ^ rotate(x, 2) ^ key, x
    return x, y


def key_words(seed, row):
    """Seed and the upper half of the row number, and the latter's complement."""
    upper = row >> 16 & 0xFFFF
    return seed & 0xFFFF, seed >> 16, upper, upper ^ 0xFFFF


def expected(seed, row, element):
    """All 32 bits, by the cipher above."""
    x, y = encrypted(expanded(key_words(seed, row), 12), element & 0xFFFF, row & 0xFFFF)
    return x << 16 | y


def test_the_cipher_of_this_test_gives_the_published_ciphertext():
    assert encrypted(expanded(KEY, 32), *PLAIN) == CIPHER


def test_the_bits_are_those_of_twelve_rounds_of_the_cipher():
    rng = np.random.default_rng(1)
    words = itertools.product(CORNERS, CORNERS, CORNERS)
    inputs = [(a << 16 | b, c << 16 | a, b) for a, b, c in words]
    inputs += [tuple(map(int, rng.integers(0, (2**32, 2**32, 2**16)))) for _ in range(500)]
    for seed, row, element in inputs:
        assert random_bits(seed, row, element, 32) == expected(seed, row, element)


def test_the_rounds_are_those_of_the_published_vector(monkeypatch):
    """The key words of the vector are none that a seed and a row give; its round keys serve."""
    monkeypatch.setattr(dither, "round_keys", lambda seed, upper: expanded(KEY, 32))
    x, y = PLAIN
    assert random_bits(0, y, x, 32) == CIPHER[0] << 16 | CIPHER[1]


def test_the_key_schedule_is_the_published_one_for_as_many_rounds_as_it_has(monkeypatch):
    monkeypatch.setattr(dither, "ROUNDS", 32)
    rng = np.random.default_rng(2)
    for seed, row in rng.integers(0, 2**32, (50, 2)).tolist():
        keys = [int(key) for key in round_keys(seed, np.array(row >> 16))]
        assert keys == expanded(key_words(seed, row), 32)


@pytest.mark.parametrize("bits", [1, 2, 8, 17, 31, 32])
def test_fewer_bits_are_the_last_ones_of_all(bits):
    elements = np.arange(300)
    full = random_bits(7, 5, elements, 32)
    part = random_bits(7, 5, elements, bits)
    np.testing.assert_array_equal(part, full % 2**bits)
    assert part.dtype == np.int64
    assert full.min() >= 0


def test_a_bit_depends_on_seed_row_and_element_alone():
    rng = np.random.default_rng(3)
    rows, elements = rng.integers(0, 2**32, 40), rng.integers(0, 2**16, 30)
    table = random_bits(99, rows[:, None], elements, 20)
    assert table.shape == (40, 30)
    order, places = rng.permutation(40), rng.permutation(30)
    again = random_bits(99, rows[order][:, None], elements[places], 20)
    np.testing.assert_array_equal(again, table[order][:, places])
    np.testing.assert_array_equal(random_bits(99, rows, elements[:, None], 20), table.T)
    for i, j in itertools.product((0, 17, 39), (0, 29)):
        assert random_bits(99, rows[i], elements[j], 20) == table[i, j]


def test_row_numbers_of_32_bits_and_elements_of_16_are_all_different():
    """A block cipher is a bijection of (element, lower row); the upper row changes the key."""
    elements = np.arange(2**16)
    assert len(np.unique(random_bits(1, 0, elements, 32))) == 2**16
    assert len(np.unique(random_bits(1, elements, 0, 32))) == 2**16
    upper = random_bits(1, elements << 16, 0, 32)
    assert len(np.unique(upper)) > 2**16 - 10  # as many as 2^16 draws of 2^32 give
    np.testing.assert_array_equal(random_bits(1, 2**32 + 5, 3, 32), random_bits(1, 5, 3, 32))


def test_every_bit_of_seed_and_row_and_element_changes_half_of_the_bits():
    rng = np.random.default_rng(4)
    count = 4096
    rows, elements = rng.integers(0, 2**32, count), rng.integers(0, 2**16, count)
    for seed in (0, 0xDEADBEEF):
        plain = random_bits(seed, rows, elements, 32)
        changed = [random_bits(seed ^ 1 << bit, rows, elements, 32) for bit in range(32)]
        changed += [random_bits(seed, rows ^ 1 << bit, elements, 32) for bit in range(32)]
        changed += [random_bits(seed, rows, elements ^ 1 << bit, 32) for bit in range(16)]
        flips = np.array([shares_of_bits(plain ^ other) for other in changed])
        assert flips.shape == (80, 32)
        assert np.abs(flips - 0.5).max() < SIGMAS * 0.5 / count**0.5


def shares_of_bits(values):
    """The share of ones in each of 32 bits."""
    return (values.ravel()[:, None] >> np.arange(32) & 1).mean(axis=0)


def assert_uniform(counts):
    """A chi-square statistic neither too large for chance nor too small."""
    total, cells = counts.sum(), counts.size
    statistic = ((counts - total / cells) ** 2).sum() / (total / cells)
    assert abs(statistic - (cells - 1)) < SIGMAS * (2 * (cells - 1)) ** 0.5


STREAMS = {
    "elements of a row": lambda k: random_bits(0, 0, k, 32),
    "first elements of rows": lambda k: random_bits(0, k, 0, 32),
    "rows of 64": lambda k: random_bits(1, k // 64, k % 64, 32),
    "rows of 1024, far on": lambda k: random_bits(2**32 - 1, 2**31 + k // 1024, k % 1024, 32),
    "upper halves of rows": lambda k: random_bits(5, k << 16, 1, 32),
    "seeds": lambda k: np.concatenate(
        [random_bits(seed, np.arange(16)[:, None], np.arange(16), 32).ravel() for seed in k[::256]]
    ),
}
each_stream = pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)


@each_stream
def test_bits_and_bytes_are_uniform(stream):
    values = stream(np.arange(2**16))
    assert values.size == 2**16
    ones = shares_of_bits(values)
    assert np.abs(ones - 0.5).max() < SIGMAS * 0.5 / values.size**0.5
    for place in range(25):
        assert_uniform(np.bincount(values >> place & 0xFF, minlength=256))


@each_stream
def test_neighbours_are_uncorrelated(stream):
    values = stream(np.arange(2**16))
    for distance in (1, 2, 7, 8, 16, 64, 256):
        one, other = values[:-distance], values[distance:]
        agree = shares_of_bits(one ^ other)
        assert np.abs(agree - 0.5).max() < SIGMAS * 0.5 / one.size**0.5
        for bits in (32, 16, 8):  # as fractions, the way rounding uses them
            low, high = (part % 2**bits for part in (one, other))
            assert abs(np.corrcoef(low, high)[0, 1]) < SIGMAS / one.size**0.5
        pairs = (one & 15) << 4 | other & 15
        assert_uniform(np.bincount(pairs, minlength=256))


def test_equal_places_of_neighbouring_seeds_are_uncorrelated():
    rows, elements = np.arange(256)[:, None], np.arange(256)
    base = random_bits(12, rows, elements, 32).ravel()
    for seed in (13, 14, 12 ^ 1 << 16, 12 ^ 1 << 31):
        other = random_bits(seed, rows, elements, 32).ravel()
        assert np.abs(shares_of_bits(base ^ other) - 0.5).max() < SIGMAS * 0.5 / base.size**0.5
        assert abs(np.corrcoef(base, other)[0, 1]) < SIGMAS / base.size**0.5


@pytest.mark.parametrize("bits", [16, 17, 24, 32])
def test_two_bits_of_a_value_are_uncorrelated(bits):
    values = random_bits(3, np.arange(256)[:, None], np.arange(256), bits).ravel()
    signs = (values[:, None] >> np.arange(bits) & 1) * 2.0 - 1
    together = signs.T @ signs / values.size - np.eye(bits)
    assert np.abs(together).max() < SIGMAS / values.size**0.5
