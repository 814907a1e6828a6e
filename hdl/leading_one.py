"""A sum as s * 2**q with s in [1, 2): the place of its leading one, and the bits behind it."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .pipeline import register


class Normalise(wiring.Component):
    """The twin of ``golden.leading_one.normalise``.

    Latency 2 cycles, one sum per cycle.

    Members:
        i: a sum with ``fraction`` fraction bits, at least 1 (or 0, which gives q = 0).
        q: the place of its leading one. s: the ``kept`` bits behind it.
    """

    latency = 2

    def __init__(self, *, sum_bits: int, fraction: int, kept: int):
        self._fraction = fraction
        self._places = sum_bits - fraction  # places that the leading one can take
        super().__init__({"i": In(sum_bits), "q": Out(range(max(self._places, 2))), "s": Out(kept)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        kept = len(self.s)
        leading = Signal.like(self.q)
        for place in range(1, self._places):
            with m.If(self.i[self._fraction + place]):
                m.d.comb += leading.eq(place)
        q = register(m, leading, name="leading")
        total = register(m, Cat(Const(0, kept), self.i), name="total")
        m.d.sync += [
            self.q.eq(q),
            self.s.eq((total >> q)[self._fraction : self._fraction + kept]),
        ]
        return m
