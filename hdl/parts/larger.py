"""Which of two unsigned numbers is the larger one, for registers that the other clears."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Larger(wiring.Component):
    """Compares two numbers, each the OR of two. Combinational.

    A choice behind a comparison takes a LUT a bit; a register that is cleared takes none. So each
    number goes on in a register of its own, one of which is cleared, and their OR is the larger.

    Args:
        may_clear: whether there is ``clear``, else it is 0.

    Members:
        a0, a1, b0, b1: the numbers. clear: both are to be cleared.
        clear_a: b is larger, or both are to be cleared. clear_b: it is not, or both.
    """

    def __init__(self, *, width: int, may_clear: bool = False):
        self._width, self._may_clear = width, may_clear
        super().__init__(
            {
                **{name: In(width) for name in ("a0", "a1", "b0", "b1")},
                "clear": In(1),
                "clear_a": Out(1),
                "clear_b": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b = self.a0 | self.a1, self.b0 | self.b1
        m.d.comb += [
            self.clear_a.eq((b > a) | self.clear),
            self.clear_b.eq(~(b > a) | self.clear),
        ]
        return m
