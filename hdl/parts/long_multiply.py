"""A product of numbers that may be wider than a hardware multiplier's operands."""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .multiply import Multiply
from .pipeline import delay, register

LIMB = 18
"""Bits of an operand that one multiplier takes."""


class LongMultiply(wiring.Component):
    """``a * b``, both unsigned and of at most 36 bits, by the school method, a multiplier for every
    pair of limbs.

    Latency :meth:`latency_of` cycles, one product per cycle. The last addition is behind the last
    register: the caller registers the product.

    Args:
        multiply: makes the product of two limbs.
    """

    def __init__(self, *, a_bits: int, b_bits: int, multiply: Callable[..., Multiply]):
        self._multiply = multiply
        self.latency = self.latency_of(a_bits, b_bits)
        super().__init__({"a": In(a_bits), "b": In(b_bits), "o": Out(a_bits + b_bits)})

    @staticmethod
    def latency_of(a_bits: int, b_bits: int) -> int:
        """Latency in cycles: two more where an operand has two limbs."""
        return Multiply.latency + (2 if max(a_bits, b_bits) > LIMB else 0)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a_low, a_high = self.a[:LIMB], self.a[LIMB:]
        b_low, b_high = self.b[:LIMB], self.b[LIMB:]
        low = self._limbs(m, a_low, b_low, "low")
        corner = self._limbs(m, a_high, b_high, "corner")
        lower, upper = low[:LIMB], Cat(low[LIMB:], corner)
        middle: Value = Const(0)
        if len(a_high):
            middle = self._limbs(m, a_high, b_low, "left")
        if len(b_high):
            right = self._limbs(m, a_low, b_high, "right")
            middle = middle + right if len(a_high) else right
        if len(a_high) or len(b_high):
            middle = register(m, middle, name="middle")
            upper, lower = register(m, upper, name="upper"), register(m, lower, name="lower")
        m.d.comb += self.o.eq(Cat(lower, upper + middle))
        return m

    def _limbs(self, m: Module, a: Value, b: Value, name: str) -> Value:
        """The product of a limb of each operand; nothing where there is no such limb."""
        if not len(a) or not len(b):
            return Const(0, 0)
        m.submodules[name] = multiply = self._multiply(a_bits=len(a), b_bits=len(b))
        m.d.comb += [multiply.a.eq(a), multiply.b.eq(b)]
        # multipliers lie far from the adders
        wait = self.latency - Multiply.latency - 1
        return delay(m, multiply.o, max(wait, 0), name=f"{name}_product")
