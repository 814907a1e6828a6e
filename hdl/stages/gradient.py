"""dS = P (dP - D): the gradient of an element's logit, from D of its row."""

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.gradient import Gradient as Golden
from ..parts.multiply import Multiply
from ..parts.pipeline import register
from ..parts.saturate import saturating
from ..targets.generic import GENERIC, Target


class Gradient(wiring.Component):
    """The twin of :class:`golden.stages.gradient.Gradient`.

    Latency 8 cycles, one element per cycle.

    Members:
        p, dp: of an element. d: D of its row. active: the element has a gradient; else it gets 0.
        bits: random ones for stochastic rounding, :attr:`BITS_LATER` cycles after the element.
        o: the output code. next_saturated: that of the next cycle was saturated.
    """

    latency = Multiply.latency + 5
    BITS_LATER = latency - 3

    def __init__(self, *, golden: Golden, target: Target = GENERIC):
        self._golden, self._target = golden, target
        dot = golden.dot
        super().__init__(
            {
                "p": In(dot.p.width),
                "dp": In(signed(dot.dp.width)),
                "d": In(signed(dot.output.width)),
                "active": In(1),
                "bits": In(golden.drop),
                "o": Out(signed(golden.output.width)),
                "next_saturated": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        dot = self._golden.dot
        fine = self.dp.shift_left(dot.output.f - dot.dp.f)
        width = dot.difference.width
        difference = register(m, (fine - self.d)[:width].as_signed(), name="difference")
        p = register(m, Mux(self.active, self.p, 0), name="p")
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=len(p), b_bits=width, b_signed=True
        )
        m.d.comb += [multiply.a.eq(p), multiply.b.eq(difference)]
        product = register(m, multiply.o, name="product").as_signed()
        code, beyond = self._result(m, product)
        m.d.comb += [
            self.o.eq(register(m, code, name="o").as_signed()),
            self.next_saturated.eq(register(m, beyond, name="beyond")),
        ]
        return m

    def _result(self, m: Module, product: Value) -> tuple[Value, Value]:
        """The product without the bits that are dropped, saturated, see :func:`saturating`."""
        golden, bits = self._golden, self._golden.output.width
        if golden.rounding == "stochastic":
            total = _extended((product + self.bits) >> golden.drop, bits)
            return saturating(m, total, bits, name="code")
        half = product >> (golden.drop - 1)
        # P is below 2**width, so that half an LSB more has room
        total = _extended((half + 1)[: len(half)].as_signed() >> 1, bits)
        # known before the addition: what that lifts to the least code ends there too
        early = _extended(half, bits + 1)[bits:]
        return saturating(m, total, bits, name="code", early=early)


def _extended(value: Value, width: int) -> Value:
    """A signed value of at least ``width`` bits."""
    missing = max(width - len(value), 0)
    return Cat(value, value[-1].replicate(missing)).as_signed()
