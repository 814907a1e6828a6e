"""One more than numbers joined by OR."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class OrIncrement(wiring.Component):
    """``(i0 | i1 | ...) + 1``. Combinational; the caller registers it.

    A number that was chosen from several is the OR of all where those that were not chosen are 0.

    Args:
        widths: of the numbers; the first is the widest.
    """

    def __init__(self, *, widths: Sequence[int]):
        self._count = len(widths)
        super().__init__(
            {**{f"i{j}": In(width) for j, width in enumerate(widths)}, "o": Out(widths[0] + 1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        numbers = [getattr(self, f"i{j}") for j in range(self._count)]
        m.d.comb += self.o.eq(reduce(or_, numbers) + 1)
        return m
