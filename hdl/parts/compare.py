"""Comparisons with constants, in LUTs where synthesis would build a carry chain."""

from amaranth.hdl import Const, Value

LUT_BITS = 6
"""Widest part of a value that is looked up."""


def above(value: Value, limit: int) -> Value:
    """Whether an unsigned value is greater than a constant.

    Of the bits below the limit's lowest one, or below its lowest 0, only this matters: whether any
    is set, or all are.
    """
    bits = limit.bit_length()
    ones = (~limit & (limit + 1)).bit_length() - 1
    zeros = (limit & -limit).bit_length() - 1
    if zeros > 0:
        high, rest = value[zeros:], value[:zeros].any()
        return above(high, limit >> zeros) | ((high == limit >> zeros) & rest)
    if ones > 1:  # greater than ...0111: at least ...1000
        return above(value[ones:], limit >> ones)
    if bits > LUT_BITS or bits >= len(value):
        return value > limit
    lookup = Const(sum(1 << code for code in range(limit + 1, 1 << bits)), 1 << bits)
    return value[bits:].any() | lookup.bit_select(value[:bits], 1)
