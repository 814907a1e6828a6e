"""The gradient of the cross-entropy: p - y, where p = 1 is reached exactly."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.normalize import Normalize as Golden
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target
from .exp import Contents
from .product import Product


class Residual(wiring.Component):
    """p, and p - 1 where ``target`` is set.

    The twin of :class:`golden.stages.residual.Residual` for a class of weight 1.

    Latency :meth:`latency_of` cycles, one element per cycle.

    Members: those of :class:`Product`, and
        target: the element is its row's target, and active; a cycle after the others.
        o: the code of p - y.
    """

    def __init__(self, *, golden: Golden, exp: Contents, q_bits: int, target: Target = GENERIC):
        self._latency = self.latency_of(golden)
        self._product = Product(golden=golden, exp=exp, q_bits=q_bits, target=target)
        super().__init__(
            {
                **Product.inputs(golden, exp, q_bits),
                "target": In(1),
                "o": Out(golden.fraction + 1),
            }
        )

    @staticmethod
    def latency_of(golden: Golden) -> int:
        """Latency in cycles."""
        return Product.latency_of(golden) + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.product = product = self._product
        m.d.comb += product.fed_by(self, self.active)
        target = delay(m, self.target, self._latency - 2, name="target")
        # a register that can be set to a value must start with it on some devices
        ones, sure = (1 << len(product.low)) - 1, product.one & ~target
        low = register(m, Mux(sure, ones, product.low), name="code", init=ones)
        negative = register(m, target & ~product.one, name="negative")
        m.d.comb += self.o.eq(Cat(low, negative))
        return m
