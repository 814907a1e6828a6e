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

    Latency :meth:`latency_of` cycles, one element per cycle.

    Members: those of :class:`Product`, and
        target: the element is its row's target, and active; a cycle after the others.
        one: 2**exponent of the row, where rows have one; :meth:`one_later` cycles after ``target``.
        o: the code of p - y.
    """

    def __init__(
        self,
        *,
        golden: Golden,
        exp: Contents,
        q_bits: int,
        most_exponent: int = 0,
        target: Target = GENERIC,
    ):
        self._latency, self._wide = self.latency_of(golden), most_exponent > 0
        self._product = Product(golden=golden, exp=exp, q_bits=q_bits, target=target)
        super().__init__(
            {
                **Product.inputs(golden, exp, q_bits),
                "target": In(1),
                **({"one": In(most_exponent + 1)} if self._wide else {}),
                "o": Out(golden.fraction + 1 + most_exponent),
            }
        )

    @staticmethod
    def latency_of(golden: Golden) -> int:
        """Latency in cycles."""
        return Product.latency_of(golden) + 1

    @classmethod
    def one_later(cls, golden: Golden) -> int:
        """Cycles from ``target`` to ``one``."""
        return cls.latency_of(golden) - 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.product = product = self._product
        m.d.comb += product.fed_by(self, self.active)
        target = delay(m, self.target, self._latency - 2, name="target")
        if self._wide:
            low = register(m, product.low, name="code")
            whole = product.one - Mux(target, self.one, 0)
            high = register(m, whole[: len(self.o) - len(low)], name="whole")
        else:
            # a register that can be set to a value must start with it on some devices
            ones, sure = (1 << len(product.low)) - 1, product.one & ~target
            low = register(m, Mux(sure, ones, product.low), name="code", init=ones)
            high = register(m, target & ~product.one, name="negative")
        m.d.comb += self.o.eq(Cat(low, high))
        return m
