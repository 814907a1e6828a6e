"""1 / S as a mantissa and a shift, a row at a time."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.reciprocal import GUARD, ReciprocalTable
from .leading_one import Normalise
from .pipeline import delay, register
from .target import GENERIC, Target


class Reciprocal(wiring.Component):
    """The twin of :class:`golden.reciprocal.ReciprocalTable`, whose contents it holds.

    Latency 8 cycles, one sum per cycle.

    Members:
        i_valid, i: a row's sum, with ``golden.fraction`` fraction bits.
        o_valid: its reciprocal follows. r, q: 1 / S is r * 2**(-bits - q).
    """

    latency = 8

    def __init__(self, *, golden: ReciprocalTable, sum_bits: int, target: Target = GENERIC):
        self._golden, self._target = golden, target
        self._normalise = Normalise(
            sum_bits=sum_bits, fraction=golden.fraction, kept=golden.index + golden.step
        )
        super().__init__(
            {
                "i_valid": In(1),
                "i": In(sum_bits),
                "o_valid": Out(1),
                "r": Out(golden.bits),
                "q": Out(len(self._normalise.q)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        m.submodules.normalise = normalise = self._normalise
        m.submodules.table = table = self._target.rom(
            entries=[
                slope << golden.base_bits | base
                for base, slope in zip(golden.base.tolist(), golden.slope.tolist(), strict=True)
            ],
            width=golden.base_bits + golden.slope_bits,
        )
        m.d.comb += [normalise.i.eq(self.i), table.i.eq(normalise.s[golden.step :])]
        place = delay(m, normalise.s[: golden.step], table.latency, name="place")
        base, slope = table.o[: golden.base_bits], table.o[golden.base_bits :]

        product = register(m, slope * place, name="product_1")
        product = register(m, product, name="product_2")
        base = delay(m, base, 2, name="base")
        r = register(m, (base.shift_left(golden.step) - product) >> golden.step + GUARD, name="r_1")
        # 1/s is in (1/2, 1]; rounding may leave the range of a mantissa at either end
        highest, lowest = (1 << golden.bits) - 1, 1 << (golden.bits - 1)
        m.d.sync += self.r.eq(Mux(r[golden.bits], highest, Mux(r[golden.bits - 1], r, lowest)))
        m.d.comb += [
            self.q.eq(delay(m, normalise.q, self.latency - normalise.latency, name="q")),
            self.o_valid.eq(delay(m, self.i_valid, self.latency, name="valid", reset=True)),
        ]
        return m
