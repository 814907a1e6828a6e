"""The sum of two numbers, each joined by OR."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class OrAdd(wiring.Component):
    """``(a0 | a1) + (b0 | b1)``. Combinational; the caller registers it.

    Args:
        widths: of a0 and b0, and of a1 and b1, which are not wider.
    """

    def __init__(self, *, widths: tuple[int, int]):
        wide, narrow = widths
        super().__init__(
            {
                **{name: In(wide) for name in ("a0", "b0")},
                **{name: In(narrow) for name in ("a1", "b1")},
                "o": Out(wide + 1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.o.eq((self.a0 | self.a1) + (self.b0 | self.b1))
        return m
