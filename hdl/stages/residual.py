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

    Latency 8 cycles, one element per cycle.

    Members: those of :class:`Product`, and
        target: the element is its row's target, and active; a cycle after the others.
        o: the code of p - y.
    """

    latency = Product.latency + 2

    def __init__(self, *, golden: Golden, exp: Contents, q_bits: int, target: Target = GENERIC):
        self._fraction = golden.fraction
        self._product = Product(golden=golden, exp=exp, q_bits=q_bits, target=target)
        super().__init__(
            {
                **Product.inputs(golden, exp, q_bits),
                "target": In(1),
                "o": Out(golden.fraction + 1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.product = product = self._product
        m.d.comb += product.fed_by(self, self.active)
        fraction = self._fraction
        target = delay(m, self.target, self.latency - 2, name="target")
        rounded = (product.o + 1)[1:]
        above = product.o[fraction + 1 :].any()  # what exceeds 1 is 1
        low = register(m, Mux(above, 0, rounded[:fraction]), name="low")
        one = register(m, rounded[fraction:], name="high").any()
        # a register that can be set to a value must start with it on some devices
        ones = (1 << fraction) - 1
        low = register(m, Mux(one & ~target, ones, low), name="code", init=ones)
        m.d.comb += self.o.eq(Cat(low, register(m, target & ~one, name="negative")))
        return m
