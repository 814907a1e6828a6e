"""dS = P (dP - D): the gradient of an element's logit, from D of its row."""

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.gradient import Gradient as Golden
from .multiply import Multiply
from .pipeline import delay, register
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
        total = _extended(self._rounded(product), golden.output.width)
        # beyond a limit, the bits below the sign are all 0 or all 1: a register that is cleared or
        # set costs less than a choice between values, so each limit gets a cycle
        bits = golden.output.width
        clear, below, above = self._beyond(product, total)
        rounded = register(m, Mux(clear, 0, total[: bits - 1]), name="rounded")
        sign = delay(m, total[-1], 2, name="sign")
        above = register(m, above, name="above")
        largest = (1 << (bits - 1)) - 1
        code = register(m, Mux(above, largest, rounded)[: bits - 1], name="code", init=largest)
        beyond = register(m, below, name="below") | above
        m.d.comb += [
            self.o.eq(Cat(code[: bits - 1], sign).as_signed()),
            self.saturated.eq(register(m, beyond, name="beyond")),
        ]
        return m

    def _beyond(self, product: Value, total: Value) -> tuple[Value, Value, Value]:
        """Whether the rounded product is at or below the least code, below it, and above the
        largest."""
        golden, bits = self._golden, self._golden.output.width
        if golden.rounding == "stochastic":
            upper = total[bits - 1 :]
            below = total[-1] & ~upper.all()
            return below, below, ~total[-1] & upper.any()
        # seen beside the addition of half an LSB, which counts where all bits below are 1
        half = _extended(product >> (golden.drop - 1), bits + 2)
        upper, carries, negative = half[bits:], half[:bits].all(), half[-1]
        at_or_below = negative & ~upper.all()
        at_limit = ~upper[0] & upper[1:].all() & carries
        return at_or_below, at_or_below & ~at_limit, ~negative & (upper.any() | carries)

    def _rounded(self, product: Value) -> Value:
        """The product without the bits that are dropped."""
        drop = self._golden.drop
        if self._golden.rounding == "stochastic":
            return (product + self.bits) >> drop
        return ((product >> (drop - 1)) + 1) >> 1


def _extended(value: Value, width: int) -> Value:
    """A signed value of at least ``width`` bits."""
    missing = max(width - len(value), 0)
    return Cat(value, value[-1].replicate(missing)).as_signed()
