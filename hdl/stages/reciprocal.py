"""1 / S as a mantissa and a shift, a row at a time."""

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.reciprocal import GUARD, ReciprocalTable
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..parts.rom import Rom
from ..targets.generic import GENERIC, Target


class Reciprocal(wiring.Component):
    """The twin of :class:`golden.stages.reciprocal.ReciprocalTable`, whose contents it holds.

    Latency 7 cycles, one sum per cycle. A part of :class:`RowScalar`.

    Members:
        s, q: significand and exponent of a row's sum, see :class:`LeadingOne`.
        o: ``r`` and ``q``: 1 / S is r * 2**(-bits - q - golden.lowest).
    """

    latency = Rom.latency + Multiply.latency + 2

    @staticmethod
    def fields(golden: ReciprocalTable, q_bits: int) -> dict[str, int]:
        """The fields of ``o``."""
        return {"r": golden.bits, "q": q_bits}

    def __init__(self, *, golden: ReciprocalTable, q_bits: int, target: Target = GENERIC):
        self._golden, self._target = golden, target
        super().__init__(
            {
                "s": In(golden.index + golden.step),
                "q": In(q_bits),
                "o": Out(data.StructLayout(self.fields(golden, q_bits))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        m.submodules.table = table = self._target.rom(
            entries=[
                slope << golden.base_bits | base
                for base, slope in zip(golden.base.tolist(), golden.slope.tolist(), strict=True)
            ],
            width=golden.base_bits + golden.slope_bits,
        )
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=golden.slope_bits, b_bits=golden.step
        )
        base = delay(m, table.o[: golden.base_bits], multiply.latency + 1, name="base")
        m.d.comb += [
            table.i.eq(self.s[golden.step :]),
            multiply.a.eq(table.o[golden.base_bits :]),
            multiply.b.eq(delay(m, self.s[: golden.step], table.latency, name="place")),
        ]
        fall = register(m, multiply.o, name="fall")
        r = (base.shift_left(golden.step) - fall) >> golden.step + GUARD
        m.d.comb += [
            self.o.r.eq(register(m, r[: golden.bits], name="r")),
            self.o.q.eq(delay(m, self.q, self.latency, name="q")),
        ]
        return m
