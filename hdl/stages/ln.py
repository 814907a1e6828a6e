"""The natural logarithm of a row's sum, a row at a time."""

from amaranth.hdl import Module, Shape
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.ln import GUARD, LnTable
from ..parts.multiply import Multiply
from ..parts.pipeline import delay, register
from ..parts.rom import Rom
from ..targets.generic import GENERIC, Target


class Ln(wiring.Component):
    """The twin of :class:`golden.stages.ln.LnTable`, whose contents it holds.

    Latency 8 cycles, one sum per cycle. A part of :class:`RowScalar`.

    Args:
        offset: added to the logarithm; at most as large as it can be, for which one bit more is
            kept.

    Members:
        s, q: significand and exponent of a row's sum, see :class:`LeadingOne`.
        o: ``ln`` of it, in units of 2**-fraction; signed where sums can be below 1.
    """

    latency = Rom.latency + Multiply.latency + 3

    @staticmethod
    def fields(golden: LnTable, offset: int = 0) -> dict[str, Shape]:
        """The fields of ``o``."""
        return {"ln": Shape(golden.width + bool(offset), golden.signed)}

    def __init__(self, *, golden: LnTable, q_bits: int, offset: int = 0, target: Target = GENERIC):
        self._golden, self._offset, self._target = golden, offset, target
        self._width = golden.width + bool(offset)
        super().__init__(
            {
                "s": In(golden.index + golden.step),
                "q": In(q_bits),
                "o": Out(data.StructLayout(self.fields(golden, offset))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden, target, width = self._golden, self._target, self._width
        m.submodules.segments = segments = target.rom(
            entries=[
                slope << golden.base_bits | base
                for base, slope in zip(golden.base.tolist(), golden.slope.tolist(), strict=True)
            ],
            width=golden.base_bits + golden.slope_bits,
        )
        m.submodules.multiples = multiples = target.rom(
            entries=[
                (multiple + self._offset) % (1 << width) for multiple in golden.q_ln2.tolist()
            ],
            width=width,
        )
        m.submodules.multiply = multiply = target.multiply(
            a_bits=golden.slope_bits, b_bits=golden.step
        )
        base = delay(m, segments.o[: golden.base_bits], multiply.latency + 1, name="base")
        m.d.comb += [
            segments.i.eq(self.s[golden.step :]),
            multiples.i.eq(self.q),
            multiply.a.eq(segments.o[golden.base_bits :]),
            multiply.b.eq(delay(m, self.s[: golden.step], segments.latency, name="place")),
        ]
        rise = register(m, multiply.o, name="rise")
        ln_s = (base.shift_left(golden.step) + rise) >> golden.step + GUARD
        ln_s = register(m, ln_s, name="ln_s")
        multiple = delay(m, multiples.o, multiply.latency + 2, name="multiple")
        m.d.comb += self.o.ln.eq(register(m, (ln_s + multiple)[:width], name="total"))
        return m
