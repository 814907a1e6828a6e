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
    """p, and p - 1 where ``target`` is set; both times 2**exponent, where rows have one.

    The twin of :class:`golden.stages.residual.Residual` for a class of weight 1.

    Latency 8 cycles, one element per cycle.

    Members: those of :class:`Product`, and
        target: the element is its row's target, and active; a cycle after the others.
        one: 2**exponent of the row, where rows have one; :attr:`ONE_LATER` cycles after ``target``.
        o: the code of p - y.
    """

    latency = Product.latency + 2
    ONE_LATER = latency - 2

    def __init__(
        self,
        *,
        golden: Golden,
        exp: Contents,
        q_bits: int,
        most_exponent: int = 0,
        target: Target = GENERIC,
    ):
        self._fraction, self._wide = golden.fraction, most_exponent > 0
        self._product = Product(golden=golden, exp=exp, q_bits=q_bits, target=target)
        super().__init__(
            {
                **Product.inputs(golden, exp, q_bits),
                "target": In(1),
                **({"one": In(most_exponent + 1)} if self._wide else {}),
                "o": Out(golden.fraction + 1 + most_exponent),
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
        if self._wide:
            whole = one - Mux(target, self.one, 0)
            high = register(m, whole[: len(self.o) - fraction], name="whole")
            m.d.comb += self.o.eq(Cat(register(m, low, name="code"), high))
            return m
        # a register that can be set to a value must start with it on some devices
        ones = (1 << fraction) - 1
        low = register(m, Mux(one & ~target, ones, low), name="code", init=ones)
        m.d.comb += self.o.eq(Cat(low, register(m, target & ~one, name="negative")))
        return m
