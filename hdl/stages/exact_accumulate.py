"""The exact sum of a row's exponentials, a beat of lanes at a time."""

import operator
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.accumulate import Accumulate as Golden
from ..parts.pipeline import delay, register, tree
from ..parts.shift_left import ShiftLeft
from ..targets.generic import GENERIC, Target
from .exponentials import Exponentials

LIMB_PLACES = 4
"""Bits of a place that shift inside a limb; the further bits choose the limb."""
LIMB = 1 << LIMB_PLACES
"""Bits from one limb to the next."""


class ExactAccumulate(wiring.Component):
    """Places mantissas and adds them.

    The twin of :class:`golden.stages.accumulate.Accumulate` where it has a fraction bit for every
    bit of every term.

    A long adder is slow, and most of its bits would add 0. So the sum is kept in limbs, each with
    an adder tree and an accumulator of its own. A mantissa that starts in a limb reaches into the
    next one: that limb adds its upper part, or the lower part of a mantissa that starts there.
    Carries wait until the row is complete; then the limbs are added.

    Latency :meth:`latency_of` cycles from the row's last beat, one beat per cycle.

    Members:
        i_last: the last beat of a row.
        mantissa: of every lane.
        next_place, next_active: of every lane's mantissa that comes with the next cycle; none is
            active without a beat.
        o: the sum of the row whose last beat came ``latency`` cycles ago, in units of 2**-fraction.
    """

    def __init__(self, *, golden: Golden, lanes: int, place_bits: int, target: Target = GENERIC):
        self._golden, self._lanes, self._target = golden, lanes, target
        super().__init__(
            {
                "i_last": In(1),
                "mantissa": In(data.ArrayLayout(golden.mantissa_bits, lanes)),
                "next_place": In(data.ArrayLayout(place_bits, lanes)),
                "next_active": In(lanes),
                "o": Out(golden.sum_bits),
            }
        )

    @staticmethod
    def limbs_of(golden: Golden) -> int:
        """Limbs that mantissas start in or reach into."""
        largest = golden.fraction - golden.mantissa_bits + 1
        return (largest >> LIMB_PLACES) + 2

    @classmethod
    def latency_of(cls, golden: Golden, lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return ShiftLeft.latency + 2 + (lanes - 1).bit_length() + cls.limbs_of(golden) - 1

    def fed_by(self, exponentials: Exponentials) -> list[Any]:
        """What connects the terms."""
        return [
            self.mantissa.eq(exponentials.mantissa),
            self.next_place.eq(exponentials.next_exponent),
            self.next_active.eq(exponentials.next_active),
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        limbs = self.limbs_of(self._golden)
        active = register(m, self.next_active, name="active", reset=True)
        parts = [self._place(m, lane, active[lane], limbs) for lane in range(self._lanes)]
        before = ShiftLeft.latency + 1 + (self._lanes - 1).bit_length()
        # without a beat, parts are 0; after a reset, a sum stays 0 until older ones have gone by
        goes_on = delay(m, ~self.i_last, before + 1, name="goes_on", reset=True)

        sums = []
        for limb in range(limbs):
            level = tree(m, [part[limb] for part in parts], operator.add, name=f"limb{limb}_level")
            most = self._golden.max_length * ((1 << len(parts[0][limb])) - 1)
            add = self._target.restart_add(width=most.bit_length(), term_bits=len(level))
            m.submodules[f"add{limb}"] = add
            running = register(m, add.o, name=f"running{limb}")
            m.d.comb += [add.running.eq(running), add.goes_on.eq(goes_on), add.term.eq(level)]
            sums.append(running)
        m.d.comb += self.o.eq(_joined(m, sums))
        return m

    def _place(self, m: Module, lane: int, active: Value, limbs: int) -> list[Value]:
        """What a lane adds to every limb."""
        place = self.next_place[lane]
        fine = min(LIMB_PLACES, len(place))
        shift = self._target.shift_left(width=self._golden.mantissa_bits, places_bits=fine)
        m.submodules[f"shift{lane}"] = shift
        m.d.comb += [shift.i.eq(self.mantissa[lane]), shift.places.eq(place[:fine])]
        chosen = register(m, place[fine:], name=f"lane{lane}_limb")
        starts = [
            delay(
                m,
                active & (chosen == limb),
                shift.latency,
                name=f"lane{lane}_in{limb}",
            )
            for limb in range(limbs - 1)
        ]
        lower, upper = shift.o[:LIMB], shift.o[LIMB:]
        parts = []
        for limb in range(limbs):
            part = Mux(starts[limb], lower, 0) if limb < limbs - 1 else Const(0)
            if limb > 0:
                part = part | Mux(starts[limb - 1], upper, 0)
            parts.append(register(m, part, name=f"lane{lane}_limb{limb}"))
        return parts


def _joined(m: Module, sums: list[Value]) -> Value:
    """The limbs' sums added, lowest first, a limb per cycle."""
    total = sums[0]
    for limb, higher in enumerate(sums[1:], start=1):
        waited = delay(m, higher, limb - 1, name=f"waited{limb}")
        place = limb * LIMB
        total = register(m, Cat(total[:place], waited + total[place:]), name=f"joined{limb}")
    return total
