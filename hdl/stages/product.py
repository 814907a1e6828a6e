"""An element's mantissa times the reciprocal of its row's sum, moved to the output's LSB."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out

from ...golden.stages.normalize import Normalize as Golden
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target
from .exp import Contents


class Product(wiring.Component):
    """``m * r``, shifted; of what is dropped, one bit stays: whoever rounds half up adds it.

    Latency 6 cycles, one element per cycle.

    Members:
        mantissa, exponent: the element's exp. r, q: the reciprocal of its row's sum.
        active: the element takes part; else it gets 0.
        o: p in half LSB of the output.
    """

    latency = Multiply.latency + 3
    FINE = 2
    """Bits of the amount that the first of two shifts takes."""

    def __init__(self, *, golden: Golden, exp: Contents, q_bits: int, target: Target = GENERIC):
        self._exp = exp
        self._drop = golden.drop + exp.offset - 1  # all but the bit that stays
        self._multiply = target.multiply(a_bits=golden.mantissa_bits, b_bits=golden.reciprocal_bits)
        super().__init__(
            {
                **self.inputs(golden, exp, q_bits),
                "o": Out(len(self._multiply.o) - self._drop),
            }
        )

    @staticmethod
    def inputs(golden: Golden, exp: Contents, q_bits: int) -> dict[str, Member]:
        """The inputs, which whoever contains a product has too."""
        return {
            "mantissa": In(golden.mantissa_bits),
            "exponent": In(exp.exponent_bits),
            "r": In(golden.reciprocal_bits),
            "q": In(q_bits),
            "active": In(1),
        }

    def fed_by(self, outer: Any, active: Value) -> list[Any]:
        """What connects the inputs to those of who contains it, but for ``active``."""
        names = ("mantissa", "exponent", "r", "q")
        return [*(getattr(self, n).eq(getattr(outer, n)) for n in names), self.active.eq(active)]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.multiply = multiply = self._multiply
        m.d.comb += [multiply.a.eq(self.mantissa), multiply.b.eq(self.r)]
        product = register(m, multiply.o, name="product")
        value = Cat(Const(0, max(-self._drop, 0)), product[max(self._drop, 0) :])

        # how far the product moves beyond what is dropped; beyond all bits it is nothing, as is an
        # element that takes no part
        coarse_bits = max(((len(value) - 1) >> self.FINE).bit_length(), 1)
        exponent, q = register(m, self.exponent, name="exponent"), register(m, self.q, name="q")
        amount = register(m, self._exp.amount(exponent, q), name="amount")
        beyond = amount[self.FINE + coarse_bits :].any()
        active = delay(m, self.active, 2, name="active")
        nothing = register(m, ~active | beyond, name="nothing")
        wait = multiply.latency + 1 - 2
        nothing = delay(m, nothing, wait, name="nothing")
        amount = delay(m, amount, wait, name="amount")

        value = register(m, value >> amount[: self.FINE], name="fine")
        coarse = register(m, amount[self.FINE :][:coarse_bits], name="coarse_amount")
        value = value >> Cat(Const(0, self.FINE), coarse)
        m.d.comb += self.o.eq(register(m, Mux(nothing, 0, value), name="coarse"))
        return m
