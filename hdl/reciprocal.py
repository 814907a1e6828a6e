"""1 / S as a mantissa and a shift, a row at a time."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.reciprocal import GUARD, ReciprocalTable
from .pipeline import delay, register
from .rom import Rom


class Reciprocal(wiring.Component):
    """The twin of :class:`golden.reciprocal.ReciprocalTable`, whose contents it holds.

    Latency 8 cycles, one sum per cycle.

    Members:
        i_valid, i: a row's sum, with ``golden.fraction`` fraction bits.
        o_valid: its reciprocal follows. r, q: 1 / S is r * 2**(-bits - q).
    """

    latency = 8

    def __init__(self, *, golden: ReciprocalTable, sum_bits: int):
        self._golden = golden
        self._shifts = sum_bits - golden.fraction  # places that the leading one can take
        super().__init__(
            {
                "i_valid": In(1),
                "i": In(sum_bits),
                "o_valid": Out(1),
                "r": Out(golden.bits),
                "q": Out(range(max(self._shifts, 2))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        q, s = self._normalise(m)

        m.submodules.table = table = Rom(
            entries=[
                slope << golden.base_bits | base
                for base, slope in zip(golden.base.tolist(), golden.slope.tolist(), strict=True)
            ],
            width=golden.base_bits + golden.slope_bits,
        )
        m.d.comb += table.i.eq(s[golden.step :])
        place = delay(m, s[: golden.step], Rom.latency, name="place")
        base, slope = table.o[: golden.base_bits], table.o[golden.base_bits :]

        product = register(m, slope * place, name="product_1")
        product = register(m, product, name="product_2")
        base = delay(m, base, 2, name="base")
        r = register(m, (base.shift_left(golden.step) - product) >> golden.step + GUARD, name="r_1")
        # 1/s is in (1/2, 1]; rounding may leave the range of a mantissa at either end
        highest, lowest = (1 << golden.bits) - 1, 1 << (golden.bits - 1)
        m.d.sync += self.r.eq(Mux(r[golden.bits], highest, Mux(r[golden.bits - 1], r, lowest)))
        m.d.comb += [
            self.q.eq(delay(m, q, self.latency - 1, name="q")),
            self.o_valid.eq(delay(m, self.i_valid, self.latency, name="valid", reset=True)),
        ]
        return m

    def _normalise(self, m: Module) -> tuple[Value, Value]:
        """The place q of the leading one after 1 cycle, the bits of s behind it after 2."""
        golden = self._golden
        kept = golden.index + golden.step
        leading = Signal.like(self.q)
        for place in range(1, self._shifts):
            with m.If(self.i[golden.fraction + place]):
                m.d.comb += leading.eq(place)
        q = register(m, leading, name="leading")
        total = register(m, Cat(Const(0, kept), self.i), name="total")
        s = (total >> q)[golden.fraction : golden.fraction + kept]
        return q, register(m, s, name="s")
