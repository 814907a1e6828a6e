"""The probability of an element: its mantissa times the reciprocal of its row's sum."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.normalize import Normalize as Golden
from ..parts.compare import above
from ..parts.pipeline import register
from ..targets.generic import GENERIC, Target
from .exp import Contents
from .product import Product


class Normalize(wiring.Component):
    """``m * r``, shifted, rounded half up, and never above 1; the twin of
    :class:`golden.stages.normalize.Normalize`.

    Latency :meth:`latency_of` cycles, one element per cycle.

    Members: those of :class:`Product`, and
        error: the row is in error; its elements get 0.
        o: the output code.
    """

    def __init__(
        self, *, golden: Golden, exp: Contents, q_bits: int, width: int, target: Target = GENERIC
    ):
        self._one = golden.one
        self._product = Product(golden=golden, exp=exp, q_bits=q_bits, target=target)
        super().__init__(
            {
                **Product.inputs(golden, exp, q_bits),
                "error": In(1),
                "o": Out(width),
            }
        )

    @staticmethod
    def latency_of(golden: Golden) -> int:
        """Latency in cycles."""
        return Product.latency_of(golden) + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.product = product = self._product
        m.d.comb += product.fed_by(self, self.active & ~self.error)
        code = Cat(product.low, product.one)
        if self._one < 1 << len(product.low):
            code = Mux(above(code, self._one), self._one, code)
        # a register that can be set to a value must start with it on some devices
        m.d.comb += self.o.eq(register(m, code[: len(self.o)], name="code", init=self._one))
        return m
