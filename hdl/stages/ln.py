"""The natural logarithm of a row's sum, a row at a time."""

from amaranth.hdl import Module, Shape, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.ln import GUARD, LnTable
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..parts.rom import Rom
from ..targets.generic import GENERIC, Target
from .leading_one import Normalise


class Ln(wiring.Component):
    """The twin of :class:`golden.ln.LnTable`, whose contents it holds.

    Latency :meth:`latency_of` cycles, one sum per cycle.

    Members:
        i: a row's sum, with ``golden.sum_fraction`` fraction bits.
        o: ln of it, in units of 2**-fraction; signed where sums can be below 1.
    """

    def __init__(self, *, golden: LnTable, sum_bits: int, target: Target = GENERIC):
        self._golden, self._target = golden, target
        self._normalise = Normalise(
            sum_bits=sum_bits,
            lowest=golden.sum_fraction + golden.lowest,
            kept=golden.index + golden.step,
        )
        super().__init__({"i": In(sum_bits), "o": Out(Shape(golden.width, golden.signed))})

    @staticmethod
    def latency_of(golden: LnTable, sum_bits: int) -> int:
        """Latency in cycles."""
        return Normalise.latency_of(sum_bits, golden.sum_fraction + golden.lowest) + LATENCY

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.normalise = normalise = self._normalise
        m.d.comb += normalise.i.eq(self.i)
        m.d.comb += self.o.eq(ln_of(m, self._golden, normalise.s, normalise.q, self._target))
        return m


LATENCY = Rom.latency + Multiply.latency + 3
"""Cycles from a normalised sum to its logarithm."""


def ln_of(
    m: Module, golden: LnTable, s: Value, q: Value, target: Target, *, offset: int = 0
) -> Value:
    """ln of a sum that is normalised: ``index + step`` bits of s, and the place q.

    Args:
        offset: added to it; at most as large as the result can be, for which one bit more is kept.
    """
    width = golden.width + bool(offset)
    m.submodules.segments = segments = target.rom(
        entries=[
            slope << golden.base_bits | base
            for base, slope in zip(golden.base.tolist(), golden.slope.tolist(), strict=True)
        ],
        width=golden.base_bits + golden.slope_bits,
    )
    m.submodules.multiples = multiples = target.rom(
        entries=[(multiple + offset) % (1 << width) for multiple in golden.q_ln2.tolist()],
        width=width,
    )
    m.submodules.ln_multiply = multiply = target.multiply(
        a_bits=golden.slope_bits, b_bits=golden.step
    )
    base = delay(m, segments.o[: golden.base_bits], multiply.latency + 1, name="ln_base")
    m.d.comb += [
        segments.i.eq(s[golden.step :]),
        multiples.i.eq(q),
        multiply.a.eq(segments.o[golden.base_bits :]),
        multiply.b.eq(delay(m, s[: golden.step], segments.latency, name="ln_place")),
    ]
    rise = register(m, multiply.o, name="rise")
    ln_s = (base.shift_left(golden.step) + rise) >> golden.step + GUARD
    ln_s = register(m, ln_s, name="ln_s")
    multiple = delay(m, multiples.o, multiply.latency + 2, name="multiple")
    total = register(m, (ln_s + multiple)[:width], name="total")
    return total.as_signed() if golden.signed else total
