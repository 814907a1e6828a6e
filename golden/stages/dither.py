"""Random bits for stochastic rounding, a pure function of seed, row number and element index.

The same bits come out whatever the lanes, the stalls or the order of evaluation. They are those of
the block cipher Simon 32/64 (Beaulieu et al., "The SIMON and SPECK Families of Lightweight Block
Ciphers", 2013), of whose 32 rounds :data:`ROUNDS` are made: every bit of the input then reaches
every bit of the output. The block is element index and row number, the key is the seed and the row
number's upper half. It is built of AND, exclusive or and rotation, which cost a LUT a bit.
"""

import numpy as np

from ..types import Codes

WORD = 16
"""Bits of a half of the block."""
ROUNDS = 12
CONSTANT = 0xFFFC
Z0 = "11111010001001010110000111001101111101000100101011000011100110"
"""Simon's constant sequence for a key of four words."""


def random_bits(seed: int, row: Codes, element: Codes, bits: int) -> Codes:
    """Integers of ``bits`` (at most 32) random bits for elements of rows.

    Args:
        seed: 32 bits. row: row numbers, 32 bits used. element: indices, 16 bits used; the two
            broadcast.
    """
    mask = (1 << WORD) - 1
    row, element = np.broadcast_arrays(np.asarray(row, np.int64), np.asarray(element, np.int64))
    x, y = element & mask, row & mask
    for key in round_keys(seed, row >> WORD):
        x, y = y ^ (_rotated(x, 1) & _rotated(x, 8)) ^ _rotated(x, 2) ^ key, x
    return ((x << WORD | y) & ((1 << bits) - 1)).astype(np.int64)


def round_keys(seed: int, upper_row: Codes) -> list[Codes]:
    """Keys of the rounds: Simon's key schedule of four words."""
    mask = (1 << WORD) - 1
    upper = np.asarray(upper_row, np.int64) & mask
    keys = [
        np.full_like(upper, seed & mask),
        np.full_like(upper, seed >> WORD & mask),
        upper,
        ~upper & mask,
    ]
    for place in range(ROUNDS - len(keys)):
        mixed = _rotated(keys[-1], -3) ^ keys[-3]
        keys.append(keys[-4] ^ mixed ^ _rotated(mixed, -1) ^ CONSTANT ^ int(Z0[place]))
    return keys


def _rotated(word: Codes, places: int) -> Codes:
    """A word rotated left."""
    places %= WORD
    return (word << places | word >> (WORD - places)) & ((1 << WORD) - 1)
