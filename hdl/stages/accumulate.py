"""The sum of a row's exponentials, a beat of lanes at a time."""

import operator
from functools import reduce
from operator import or_

from amaranth.hdl import Const, Module, Mux, Value
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
        mantissa: of every lane. active: the element takes part; none does without a beat.
        next_shift: of every lane's mantissa that comes with the next cycle.
        o: the sum of the row whose last beat came ``latency`` cycles ago, in units of 2**-fraction.
    """

    def __init__(self, *, golden: Golden, lanes: int, shift_bits: int, target: Target = GENERIC):
        self._golden, self._lanes, self._target = golden, lanes, target
        super().__init__(
            {
                "i_last": In(1),
                "mantissa": In(data.ArrayLayout(golden.mantissa_bits, lanes)),
                "next_shift": In(data.ArrayLayout(shift_bits, lanes)),
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
        if self._lanes == 1:
            sums = [reduce(or_, terms[0])]
        else:
            pairs = [terms[lane : lane + 2] for lane in range(0, self._lanes, 2)]
            sums = [self._sum(m, pair) for pair in pairs]
        term = tree(m, sums, operator.add, name="level")
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

    def _align(self, m: Module, lane: int) -> list[Value]:
        """A lane's term as numbers one of which is not 0: shifted by up to 3 places in the first
        cycle, by fours of them in the next, by sixteens in the last.

        Of places to shift by, each has registers of its own, which are cleared where it is not the
        one; the OR of all takes fewer LUTs than a choice."""
        golden, shift = self._golden, register(m, self.next_shift[lane], name=f"shift{lane}")
        term = self.mantissa[lane].shift_left(golden.fraction - golden.mantissa_bits + 1)
        fine = [register(m, self.next_shift[lane][:2] != j, name="not") for j in range(4)]
        moved = [register(m, Mux(other, 0, term[j:]), name="fine") for j, other in enumerate(fine)]
        term = reduce(or_, moved)
        fours = [register(m, shift[2:4] != j, name="not_four") for j in range(4)]
        moved = [
            register(m, Mux(other, 0, term[4 * j :]), name="four") for j, other in enumerate(fours)
        ]
        term = reduce(or_, moved)
        shift = register(m, shift[4:], name=f"sixteens{lane}")
        active = register(m, self.active[lane], name=f"active{lane}")
        sixteens = [
            register(m, ~active | (shift != j), name="not_sixteen")
            for j in range(-(-len(term) // 16))
        ]
        return [
            register(m, Mux(other, 0, term[16 * j :]), name=f"term{lane}")
            for j, other in enumerate(sixteens)
        ]

    def _sum(self, m: Module, terms: list[list[Value]]) -> Value:
        """The sum of one or two lanes' terms, a cycle later."""
        if len(terms) == 1:
            return register(m, reduce(or_, terms[0]), name="level")
        (a0, *a_rest), (b0, *b_rest) = terms
        a1, b1 = (reduce(or_, rest, Const(0, 1)) for rest in (a_rest, b_rest))
        m.submodules += (add := self._target.or_add(widths=(len(a0), len(a1))))
        m.d.comb += [add.a0.eq(a0), add.a1.eq(a1), add.b0.eq(b0), add.b1.eq(b1)]
        return register(m, add.o, name="level")
