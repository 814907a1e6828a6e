"""The natural logarithm of a row's sum, a row at a time."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.ln import GUARD, LnTable
from .leading_one import Normalise
from .pipeline import delay, register
from .target import GENERIC, Target


class Ln(wiring.Component):
    """The twin of :class:`golden.ln.LnTable`, whose contents it holds.

    Latency 8 cycles, one sum per cycle.

    Members:
        i_valid, i: a row's sum, with ``golden.sum_fraction`` fraction bits.
        o_valid: its logarithm follows. o: ln of it, in units of 2**-fraction.
    """

    latency = 8

    def __init__(self, *, golden: LnTable, sum_bits: int, target: Target = GENERIC):
        self._golden, self._target = golden, target
        self._normalise = Normalise(
            sum_bits=sum_bits, fraction=golden.sum_fraction, kept=golden.index + golden.step
        )
        super().__init__(
            {"i_valid": In(1), "i": In(sum_bits), "o_valid": Out(1), "o": Out(golden.width)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        m.submodules.normalise = normalise = self._normalise
        m.submodules.segments = segments = self._target.rom(
            entries=[
                slope << golden.base_bits | base
                for base, slope in zip(golden.base.tolist(), golden.slope.tolist(), strict=True)
            ],
            width=golden.base_bits + golden.slope_bits,
        )
        m.submodules.multiples = multiples = self._target.rom(
            entries=golden.q_ln2.tolist(), width=max(int(golden.q_ln2.max()).bit_length(), 1)
        )
        m.d.comb += [
            normalise.i.eq(self.i),
            segments.i.eq(normalise.s[golden.step :]),
            multiples.i.eq(normalise.q),
        ]
        place = delay(m, normalise.s[: golden.step], segments.latency, name="place")
        base, slope = segments.o[: golden.base_bits], segments.o[golden.base_bits :]

        product = register(m, slope * place, name="product_1")
        product = register(m, product, name="product_2")
        base = delay(m, base, 2, name="base")
        ln_s = (base.shift_left(golden.step) + product) >> golden.step + GUARD
        ln_s = register(m, ln_s, name="ln_s")
        m.d.sync += self.o.eq(ln_s + delay(m, multiples.o, 3, name="multiple"))
        m.d.comb += self.o_valid.eq(delay(m, self.i_valid, self.latency, name="valid", reset=True))
        return m
