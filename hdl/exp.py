"""exp(-scale * u) as a mantissa and a shift."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.exp import ExpTable, LowTable
from .pipeline import delay, register
from .rom import Rom
from .target import GENERIC, Target


class Exp(wiring.Component):
    """The twin of :class:`golden.exp.ExpTable`, whose contents it holds.

    Latency 2 cycles for one table and 3 more for every further one; one element per cycle.

    Members:
        i: difference, in input LSB.
        mantissa, shift: exp is mantissa * 2**(1 - mantissa_bits - shift).
    """

    def __init__(self, *, golden: ExpTable, target: Target = GENERIC):
        self._golden, self._target = golden, target
        super().__init__(
            {
                "i": In(sum(golden.split)),
                "mantissa": Out(golden.mantissa_bits),
                "shift": Out(golden.shift_bits),
            }
        )

    @staticmethod
    def latency_of(golden: ExpTable) -> int:
        """Latency in cycles."""
        return Rom.latency + 3 * len(golden.low)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden = self._golden
        place = len(self.i) - golden.split[0]
        m.submodules.high = high = self._target.rom(
            entries=[
                shift << golden.bits | mantissa
                for mantissa, shift in zip(golden.high.tolist(), golden.shift.tolist(), strict=True)
            ],
            width=golden.bits + golden.shift_bits,
        )
        m.d.comb += high.i.eq(self.i[place:])
        accumulator, shift = high.o[: golden.bits], high.o[golden.bits :]

        waited = 0
        for j, (low, bits) in enumerate(zip(golden.low, golden.split[1:], strict=True)):
            place -= bits
            rom = self._target.rom(entries=low.entries.tolist(), width=low.width)
            m.submodules[f"low{j}"] = rom
            field = self.i[place : place + bits]
            m.d.comb += rom.i.eq(delay(m, field, waited, name=f"field{j}"))
            accumulator = self._lose_share(m, accumulator, rom.o, low, j)
            waited += 3
        m.d.comb += [
            self.mantissa.eq(accumulator[golden.guard :]),
            self.shift.eq(delay(m, shift, waited, name="shift")),
        ]
        return m

    def _lose_share(self, m: Module, accumulator, entry, low: LowTable, j: int):
        """The running mantissa less the share that a further table's entry names; 3 cycles."""
        guard = self._golden.guard
        product = register(m, accumulator[guard:] * entry, name=f"product{j}_1")
        product = register(m, product, name=f"product{j}_2")
        kept = delay(m, accumulator, 2, name=f"kept{j}")
        rest = kept - (product >> (low.fraction - guard))
        return register(m, rest[: len(accumulator)], name=f"rest{j}")
