"""Counts for addresses: a register that goes through its states without a carry."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Value

TAPS = {2: (1, 0), 3: (2, 1), 4: (3, 2), 5: (4, 2), 6: (5, 4), 7: (6, 5), 8: (7, 5, 4, 3),
        9: (8, 4), 10: (9, 6)}  # fmt: skip
"""By width: bits whose sum makes a shift register go through all its states but 0 (the exponents of
a primitive polynomial, less 1)."""
FIRST, OTHER = 1, 2
"""States to begin with, of 3 bits and more one after the other: counts that begin with different
ones are not taken for the same."""


def width_for(states: int) -> int:
    """Bits of a count that has so many states, up to 1023."""
    return max(states.bit_length(), min(TAPS))


def after(count: Value) -> Value:
    """The state after a state. The memory that it addresses does not mind the order."""
    return Cat(reduce(xor, (count[tap] for tap in TAPS[len(count)])), count[:-1])
