"""The sum of a row's exponentials, a beat of lanes at a time."""

import operator

from amaranth.hdl import Module, Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.accumulate import Accumulate as Golden
from ..parts.pipeline import delay, register, tree
from ..targets.generic import GENERIC, Target

ALIGN_CYCLES = 3
"""Cycles in which a term is shifted to its place."""


class Accumulate(wiring.Component):
    """Aligns and adds mantissas; the twin of :class:`golden.stages.accumulate.Accumulate`.

    Latency ``4 + ceil(log2(lanes))`` cycles from the row's last beat, one beat per cycle.

    Members:
        i_last: the last beat of a row.
        mantissa, shift: of every lane. active: the element takes part; none does without a beat.
        o: the sum of the row whose last beat came ``latency`` cycles ago, in units of 2**-fraction.
    """

    def __init__(self, *, golden: Golden, lanes: int, shift_bits: int, target: Target = GENERIC):
        self._golden, self._lanes, self._target = golden, lanes, target
        super().__init__(
            {
                "i_last": In(1),
                "mantissa": In(data.ArrayLayout(golden.mantissa_bits, lanes)),
                "shift": In(data.ArrayLayout(shift_bits, lanes)),
                "active": In(lanes),
                "o": Out(golden.sum_bits),
            }
        )

    @staticmethod
    def latency_of(lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return ALIGN_CYCLES + 1 + (lanes - 1).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        terms = [self._align(m, lane) for lane in range(self._lanes)]
        term = tree(m, terms, operator.add, name="level")
        cycles = self.latency_of(self._lanes)
        # without a beat, terms are 0; after a reset, the sum stays 0 until older ones have gone by
        goes_on = delay(m, ~self.i_last, cycles, name="goes_on", reset=True)
        m.submodules.add = add = self._target.restart_add(width=len(self.o), term_bits=len(term))
        running = register(m, add.o, name="running")
        m.d.comb += [
            add.running.eq(running),
            add.goes_on.eq(goes_on),
            add.term.eq(term),
            self.o.eq(running),
        ]
        return m

    def _align(self, m: Module, lane: int) -> Value:
        """A lane's term, shifted by two bits of its shift a cycle, then by the others."""
        golden, shift = self._golden, self.shift[lane]
        term = self.mantissa[lane].shift_left(golden.fraction - golden.mantissa_bits + 1)
        for cycle in range(ALIGN_CYCLES - 1):
            term = register(m, term >> (shift[:2] << 2 * cycle), name=f"shifted{cycle}_{lane}")
            shift = register(m, shift[2:], name=f"shift{cycle}_{lane}")
        active = delay(m, self.active[lane], ALIGN_CYCLES - 1, name=f"active{lane}")
        term = Mux(active, term >> (shift << 2 * (ALIGN_CYCLES - 1)), 0)
        return register(m, term, name=f"term{lane}")
