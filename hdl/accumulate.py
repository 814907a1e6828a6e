"""The sum of a row's exponentials, a beat of lanes at a time."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..golden.accumulate import Accumulate as Golden
from .pipeline import delay, register


class Accumulate(wiring.Component):
    """Aligns and adds mantissas; the twin of :class:`golden.accumulate.Accumulate`.

    Latency ``3 + ceil(log2(lanes))`` cycles from the row's last beat, one beat per cycle.

    Members:
        i_valid, i_last: a beat, the last of its row or not.
        mantissa, shift: of every lane; an element that takes no part has mantissa 0.
        o_valid: a row is complete. o: its sum, in units of 2**-fraction.
    """

    def __init__(self, *, golden: Golden, lanes: int, shift_bits: int):
        self._golden, self._lanes = golden, lanes
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "mantissa": In(data.ArrayLayout(golden.mantissa_bits, lanes)),
                "shift": In(data.ArrayLayout(shift_bits, lanes)),
                "o_valid": Out(1),
                "o": Out(golden.sum_bits),
            }
        )

    @staticmethod
    def latency_of(lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return 3 + (lanes - 1).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        level = [self._align(m, lane) for lane in range(self._lanes)]
        cycles = 2
        while len(level) > 1:
            pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
            level = [
                register(m, sum(pair[1:], start=pair[0]), name=f"level{cycles}_{i}")
                for i, pair in enumerate(pairs)
            ]
            cycles += 1
        valid = delay(m, self.i_valid, cycles, name="valid", reset=True)
        last = delay(m, self.i_last, cycles, name="last")

        running = Signal.like(self.o)
        total = (running + level[0])[: len(self.o)]
        with m.If(valid):
            m.d.sync += running.eq(Mux(last, 0, total))
        m.d.sync += [self.o_valid.eq(valid & last), self.o.eq(total)]
        return m

    def _align(self, m: Module, lane: int) -> Value:
        """A lane's term, shifted by its shift's low bits first and by the high bits a cycle on."""
        golden, shift = self._golden, self.shift[lane]
        half = (len(shift) + 1) // 2
        term = self.mantissa[lane].shift_left(golden.fraction - golden.mantissa_bits + 1)
        term = register(m, term >> shift[:half], name=f"fine{lane}")
        coarse = Cat(Const(0, half), register(m, shift[half:], name=f"coarse_shift{lane}"))
        return register(m, term >> coarse, name=f"term{lane}")
