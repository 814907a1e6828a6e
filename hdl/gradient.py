"""dS = P (dP - D): the gradient of an element's logit, from D of its row."""

from amaranth.hdl import Const, Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.gradient import Gradient as Golden
from .multiply import Multiply
from .pipeline import register
from .target import GENERIC, Target


class Gradient(wiring.Component):
    """The twin of :class:`golden.gradient.Gradient`.

    Latency 7 cycles, one element per cycle.

    Members:
        p, dp: of an element. d: D of its row. active: the element has a gradient; else it gets 0.
        bits: random ones for stochastic rounding, :attr:`BITS_LATER` cycles after the element.
        o: the output code. saturated: it was.
    """

    latency = Multiply.latency + 4
    BITS_LATER = latency - 2

    def __init__(self, *, golden: Golden, target: Target = GENERIC):
        self._golden, self._target = golden, target
        dot = golden.dot
        super().__init__(
            {
                "p": In(dot.p.width),
                "dp": In(signed(dot.dp.width)),
                "d": In(signed(dot.limit.bit_length() + 1)),
                "active": In(1),
                "bits": In(golden.drop),
                "o": Out(signed(golden.output.width)),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden, dot = self._golden, self._golden.dot
        fine = self.dp.shift_left(dot.fraction - dot.dp.f)
        width = dot.difference.width
        difference = register(m, (fine - self.d)[:width].as_signed(), name="difference")
        p = register(m, Mux(self.active, self.p, 0), name="p")
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=len(p), b_bits=width, b_signed=True
        )
        m.d.comb += [multiply.a.eq(p), multiply.b.eq(difference)]
        product = register(m, multiply.o, name="product").as_signed()
        rounded = register(m, self._rounded(product), name="rounded").as_signed()

        bits = golden.output.width
        beyond = ~(rounded[bits - 1 :].all() | ~rounded[bits - 1 :].any())
        largest = Const(golden.output.max_code, signed(bits))
        code = Mux(beyond, Mux(rounded[-1], ~largest, largest), rounded)[:bits]
        m.d.comb += [
            self.o.eq(register(m, code, name="code").as_signed()),
            self.saturated.eq(register(m, beyond, name="beyond")),
        ]
        return m

    def _rounded(self, product: Value) -> Value:
        """The product without the bits that are dropped."""
        drop = self._golden.drop
        if self._golden.rounding == "stochastic":
            return (product + self.bits) >> drop
        return ((product >> (drop - 1)) + 1) >> 1
