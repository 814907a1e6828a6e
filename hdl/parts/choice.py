"""A constant of some, looked up by its number."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Value


def chosen(constants: Sequence[int], number: Value) -> Value:
    """The constant of a number; of a number too large the last one, which costs least."""
    size = 1 << len(number)
    filled = [*constants, *[constants[-1]] * (size - len(constants))]
    width = max(max(constants).bit_length(), 1)
    tables = (sum((c >> bit & 1) << j for j, c in enumerate(filled)) for bit in range(width))
    return Cat(Const(table, size).bit_select(number, 1) for table in tables)
