"""An element's mantissa times the reciprocal of its row's sum, rounded to the output's LSB."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out

from ...golden.stages.normalize import Normalize as Golden
from ..parts.long_multiply import LongMultiply
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target
from .exp import Contents


class Product(wiring.Component):
    """``m * r``, shifted, rounded half up, and never above 1.

    Of places to shift by, each has registers of its own, which are cleared where it is not the one:
    a register that is cleared costs no LUT, and the OR of all less than a choice.

    Latency :meth:`latency_of` cycles, one element per cycle.

    Members:
        mantissa, exponent: the element's exp. r, q: the reciprocal of its row's sum.
        active: the element takes part; else it gets 0.
        one: p is 1. low: else its bits, below 1.
    """

    FINE = 2
    """Bits of the amount that the second of two shifts takes."""

    def __init__(self, *, golden: Golden, exp: Contents, q_bits: int, target: Target = GENERIC):
        self._exp = exp
        self._drop = golden.drop + exp.offset - 1  # all but the bit that rounds
        self._multiply = target.long_multiply(
            a_bits=golden.mantissa_bits, b_bits=golden.reciprocal_bits
        )
        self.latency = self.latency_of(golden)
        super().__init__(
            {
                **self.inputs(golden, exp, q_bits),
                "low": Out(golden.fraction),
                "one": Out(1),
            }
        )

    @staticmethod
    def latency_of(golden: Golden) -> int:
        """Latency in cycles."""
        return LongMultiply.latency_of(golden.mantissa_bits, golden.reciprocal_bits) + 4

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
        value = Cat(Const(0, max(-self._drop, 0)), multiply.o[max(self._drop, 0) :])
        coarse, fine = self._others(m, len(value))
        # the coarse shift first: the more places, the fewer bits the distant multiplier drives
        moved = [
            register(m, Mux(other, 0, value[j << self.FINE :]), name=f"coarse{j}")
            for j, other in enumerate(coarse)
        ]
        value = reduce(or_, moved)
        moved = [
            register(m, Mux(other, 0, value[places:]), name=f"fine{places}")
            for places, other in enumerate(fine)
        ]
        self._round(m, register(m, reduce(or_, moved), name="moved"))
        return m

    def _others(self, m: Module, bits: int) -> tuple[list[Value], list[Value]]:
        """For every number of places by which a product of ``bits`` bits can move beyond what is
        dropped, whether it is another one: fours of places, as the product comes, and up to 3, a
        cycle later. Beyond all bits it is nothing, as is an element that takes no part: then it is
        another one for all of the latter."""
        count = -(-bits >> self.FINE)
        exponent, q = register(m, self.exponent, name="exponent"), register(m, self.q, name="q")
        amount = register(m, self._exp.amount(exponent, q), name="amount")
        places, fours = amount[: self.FINE], amount[self.FINE :]
        used = max((count - 1).bit_length(), 1)
        active = delay(m, self.active, 2, name="active")
        nothing = register(m, ~active | fours[used:].any(), name="nothing")
        coarse = [register(m, fours[:used] != j, name=f"not{j << self.FINE}") for j in range(count)]
        places = register(m, places, name="places")
        fine = [register(m, nothing | (places != j), name=f"not{j}") for j in range(1 << self.FINE)]
        wait = self._multiply.latency - 3
        return (
            [delay(m, other, wait, name="late") for other in coarse],
            [delay(m, other, wait, name="late") for other in fine],
        )

    def _round(self, m: Module, value: Value) -> None:
        """Round p in half LSB, and hold it to 1."""
        fraction = len(self.low)
        above, below = value[fraction + 1 :].any(), value[: fraction + 1]
        low, carry = (below + 1)[1 : fraction + 1], (below + 1)[fraction + 1 :]
        m.d.comb += [
            self.low.eq(register(m, Mux(above, 0, low), name="rounded")),
            self.one.eq(register(m, above, name="above") | register(m, carry, name="carry").any()),
        ]
