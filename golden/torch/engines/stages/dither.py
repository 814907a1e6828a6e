"""Random bits for stochastic rounding, a pure function of seed, row number and element index."""

from torch import Tensor

from ....stages.dither import CONSTANT, ROUNDS, WORD, Z0
from .leading_one import low_bits


def random_bits(seed: int, row: Tensor, element: Tensor, bits: int) -> Tensor:
    """Integers of ``bits`` random bits, at most 32; row numbers and indices broadcast."""
    x, y = low_bits(element, WORD), low_bits(row, WORD)
    for key in round_keys(seed, low_bits(row >> WORD, WORD)):
        x, y = y ^ (_rotated(x, 1) & _rotated(x, 8)) ^ _rotated(x, 2) ^ key, x
    return low_bits(x << WORD | y, bits)


def round_keys(seed: int, upper_row: Tensor) -> list[Tensor]:
    """Keys of the rounds: Simon's key schedule of four words."""
    mask = (1 << WORD) - 1
    zero = upper_row * 0
    keys = [zero + (seed & mask), zero + (seed >> WORD & mask), upper_row, upper_row ^ mask]
    for place in range(ROUNDS - len(keys)):
        mixed = _rotated(keys[-1], -3) ^ keys[-3]
        keys.append(keys[-4] ^ mixed ^ _rotated(mixed, -1) ^ (CONSTANT ^ int(Z0[place])))
    return keys


def _rotated(word: Tensor, places: int) -> Tensor:
    """A word rotated left."""
    left = places % WORD
    return low_bits(word << left | word >> (WORD - left), WORD)
