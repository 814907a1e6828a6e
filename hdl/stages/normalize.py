"""The probability of an element: its mantissa times the reciprocal of its row's sum."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.normalize import Normalize as Golden
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target
from .exp import Contents


class Normalize(wiring.Component):
    """``m * r``, shifted and rounded half up; the twin of :class:`golden.normalize.Normalize`.

    Latency 8 cycles, one element per cycle.

    Members:
        mantissa, exponent: the element's exp. r, q: the reciprocal of its row's sum.
        active: the element takes part; else it gets 0.
        o: the output code.
    """

    latency = Multiply.latency + 5
    FINE = 2
    """Bits of the amount that the first of two shifts takes."""

    def __init__(
        self,
        *,
        golden: Golden,
        exp: Contents,
        q_bits: int,
        width: int,
        target: Target = GENERIC,
    ):
        self._golden, self._exp, self._target = golden, exp, target
        super().__init__(
            {
                "mantissa": In(golden.mantissa_bits),
                "exponent": In(exp.exponent_bits),
                "r": In(golden.reciprocal_bits),
                "q": In(q_bits),
                "active": In(1),
                "o": Out(width),
                **self._members(),
            }
        )

    def _members(self) -> dict[str, Any]:
        """Further members."""
        return {}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden, drop = self._golden, self._golden.drop + self._exp.offset
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=golden.mantissa_bits, b_bits=golden.reciprocal_bits
        )
        m.d.comb += [multiply.a.eq(self.mantissa), multiply.b.eq(self.r)]
        product = register(m, multiply.o, name="product")
        # one bit below the result stays for rounding
        missing = max(1 - drop, 0)
        value = Cat(Const(0, missing), product[max(drop - 1, 0) :])

        # how far the product moves beyond ``drop``; beyond all bits it is nothing, as is an element
        # that takes no part
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
        value = register(m, Mux(nothing, 0, value), name="coarse")

        rounded = register(m, (value + 1)[1:], name="rounded")
        m.d.comb += self.o.eq(self._code(m, rounded))
        return m

    def _code(self, m: Module, rounded: Value) -> Value:
        """The output of a rounded probability, a cycle later."""
        one = self._golden.one
        code = Mux(rounded > one, one, rounded)[: len(self.o)]
        # a register that can be set to a value must start with it on some devices
        return register(m, code, name="code", init=one)
