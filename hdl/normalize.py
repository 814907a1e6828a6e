"""The probability of an element: its mantissa times the reciprocal of its row's sum."""

from amaranth.hdl import Cat, Const, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.normalize import Normalize as Golden
from .pipeline import delay, register


class Normalize(wiring.Component):
    """``m * r``, shifted and rounded half up; the twin of :class:`golden.normalize.Normalize`.

    Latency 6 cycles, one element per cycle.

    Members:
        mantissa, shift: the element's exp. r, q: the reciprocal of its row's sum.
        o: the output code.
    """

    latency = 6

    def __init__(self, *, golden: Golden, shift_bits: int, q_bits: int, width: int):
        self._golden = golden
        super().__init__(
            {
                "mantissa": In(golden.mantissa_bits),
                "shift": In(shift_bits),
                "r": In(golden.reciprocal_bits),
                "q": In(q_bits),
                "o": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        mantissa, r = register(m, self.mantissa, name="m"), register(m, self.r, name="r")
        product = register(m, mantissa * r, name="product_1")
        product = register(m, product, name="product_2")
        shift = delay(m, self.shift + self.q, 3, name="shift_sum")

        # one bit below the result stays for rounding
        half = (len(shift) + 1) // 2
        value = product[golden.drop - 1 :]
        value = register(m, value >> shift[:half], name="fine")
        coarse = Cat(Const(0, half), register(m, shift[half:], name="coarse_shift"))
        value = register(m, value >> coarse, name="coarse")
        rounded = (value + 1)[1:]
        m.d.sync += self.o.eq(Mux(rounded > golden.one, golden.one, rounded))
        return m
