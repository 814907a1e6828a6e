"""1 / S as a mantissa and a shift, a row at a time."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.reciprocal import GUARD, ReciprocalTable
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..parts.rom import Rom
from ..targets.generic import GENERIC, Target
from .leading_one import Normalise

LATENCY = Rom.latency + Multiply.latency + 2
"""Cycles from a normalised sum to its reciprocal."""


class Reciprocal(wiring.Component):
    """The twin of :class:`golden.reciprocal.ReciprocalTable`, whose contents it holds.

    Latency :meth:`latency_of` cycles, one sum per cycle.

    Members:
        i: a row's sum, with ``golden.fraction`` fraction bits.
        r, q: 1 / S is r * 2**(-bits - q - golden.lowest).
    """

    def __init__(self, *, golden: ReciprocalTable, sum_bits: int, target: Target = GENERIC):
        self._golden, self._target = golden, target
        self._normalise = Normalise(
            sum_bits=sum_bits, lowest=golden.fraction + golden.lowest, kept=self._kept()
        )
        super().__init__(
            {
                "i": In(sum_bits),
                "r": Out(golden.bits),
                "q": Out(len(self._normalise.q)),
                **self._members(),
            }
        )

    def _kept(self) -> int:
        """Bits behind the sum's leading one that are looked at."""
        return self._golden.index + self._golden.step

    def _members(self) -> dict[str, Any]:
        """Further members."""
        return {}

    @staticmethod
    def latency_of(golden: ReciprocalTable, sum_bits: int) -> int:
        """Latency in cycles."""
        return Normalise.latency_of(sum_bits, golden.fraction + golden.lowest) + LATENCY

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        m.submodules.normalise = normalise = self._normalise
        s = normalise.s[-(golden.index + golden.step) :]
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
            normalise.i.eq(self.i),
            table.i.eq(s[golden.step :]),
            multiply.a.eq(table.o[golden.base_bits :]),
            multiply.b.eq(delay(m, s[: golden.step], table.latency, name="place")),
        ]
        fall = register(m, multiply.o, name="fall")
        r = (base.shift_left(golden.step) - fall) >> golden.step + GUARD
        q = delay(m, normalise.q, table.latency + multiply.latency + 2, name="q")
        m.d.comb += [self.r.eq(register(m, r[: golden.bits], name="r")), self.q.eq(q)]
        return m
