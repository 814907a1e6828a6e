"""The sum of a row's exponentials around its largest one, a beat of lanes at a time."""

import operator
from functools import reduce
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.stages.window import LIMB_BITS
from ...golden.stages.window import Window as Golden
from ..parts.pipeline import delay, largest_of, register, tree
from ..parts.shift_left import ShiftLeft
from ..targets.generic import GENERIC, Target
from .exponentials import Exponentials

LIMBS = 3
"""Limbs of the window, each in an accumulator of its own."""
FINE = LIMB_BITS.bit_length() - 1
"""Bits of a place that shift inside a limb; the further bits are the limb."""


class Window(wiring.Component):
    """Places mantissas and adds those of their parts that the window holds.

    The twin of :class:`golden.stages.window.Window`.

    Limb j is kept in accumulator j % 3, so that nothing moves when the highest limb in which a
    mantissa starts, T, rises: the accumulators whose limbs leave the window start anew. T is known
    before the parts of the beat that it rises with are added, so the loop is an adder. When the row
    is complete, its limbs are put in order and added, a limb per cycle.

    Latency :meth:`latency_of` cycles from the row's last beat, one beat per cycle.

    Members:
        i_last: the last beat of a row.
        mantissa: of every lane. next_place: of its mantissa that comes with the next cycle.
        early_place, early_active: of its mantissa that comes ``ahead`` cycles later; none is active
            without a beat.
        o, top: the sum of the row whose last beat came ``latency`` cycles ago, from limb T - 1 up,
            and T.
    """

    def __init__(
        self,
        *,
        golden: Golden,
        lanes: int,
        place_bits: int,
        ahead: int,
        target: Target = GENERIC,
    ):
        self._golden, self._lanes, self._target, self._ahead = golden, lanes, target, ahead
        super().__init__(
            {
                "i_last": In(1),
                "mantissa": In(data.ArrayLayout(golden.mantissa_bits, lanes)),
                "next_place": In(data.ArrayLayout(place_bits, lanes)),
                "early_place": In(data.ArrayLayout(place_bits, lanes)),
                "early_active": In(lanes),
                "o": Out(golden.sum_bits),
                "top": Out(top_bits(golden)),
            }
        )

    @staticmethod
    def _wait_of(lanes: int, ahead: int) -> int:
        """Cycles in which a mantissa waits until it is known which limbs keep its parts."""
        known = _Top.known_of(lanes) - ahead
        return max(known + 2 - ShiftLeft.latency, 0)

    @classmethod
    def latency_of(cls, lanes: int, ahead: int) -> int:
        """Latency in cycles from the row's last beat."""
        parts = cls._wait_of(lanes, ahead) + ShiftLeft.latency + 1
        return parts + (lanes - 1).bit_length() + 1 + LIMBS

    def fed_by(self, exponentials: Exponentials) -> list[Any]:
        """What connects the terms."""
        return [
            self.mantissa.eq(exponentials.mantissa),
            self.next_place.eq(exponentials.next_exponent),
            self.early_place.eq(exponentials.early_exponent),
            self.early_active.eq(exponentials.early_active),
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wait = self._wait_of(self._lanes, self._ahead)
        levels = (self._lanes - 1).bit_length()
        # T is known after the beat before is known to be the last of its row or not
        ahead = min(self._ahead, _Top.known_of(self._lanes) - 1)
        active = delay(m, self.early_active, self._ahead - ahead, name="active", reset=True)
        limbs = [
            Mux(active[lane], delay(m, limb, self._ahead - ahead, name="early_limb"), 0)
            for lane, limb in enumerate(place[FINE:][: len(self.top)] for place in self.early_place)
        ]
        top = _Top(m, limbs, self.i_last, ahead)
        parts = [
            self._parts(m, lane, self._falls(m, lane, limb, active[lane], top), top, wait)
            for lane, limb in enumerate(limbs)
        ]
        added = wait + ShiftLeft.latency + 1 + levels  # when the parts of a beat have been added
        sums = [self._accumulate(m, j, parts, top, added) for j in range(LIMBS)]
        self._join(m, sums, top, added + 1)
        return m

    def _parts(
        self, m: Module, lane: int, falls: tuple[list[Value], ...], top: "_Top", wait: int
    ) -> list[Value]:
        """What a lane adds to every accumulator."""
        place = self.next_place[lane]
        shift = self._target.shift_left(width=self._golden.mantissa_bits, places_bits=FINE)
        m.submodules[f"shift{lane}"] = shift
        m.d.comb += [
            shift.i.eq(delay(m, self.mantissa[lane], wait, name=f"mantissa{lane}")),
            shift.places.eq(delay(m, place[:FINE], wait, name=f"places{lane}")),
        ]
        early = wait + shift.latency - (top.known + 2)
        parts = []
        for j in range(LIMBS):
            keeps = register(
                m, Cat(falls[0][j], falls[1][j]), name=f"lane{lane}_keeps{j}", reset=True
            )
            keeps = delay(m, keeps, early, name=f"lane{lane}_kept{j}", reset=True)
            lower, upper = shift.o[:LIMB_BITS], shift.o[LIMB_BITS:]
            part = Mux(keeps[0], lower, 0) | Mux(keeps[1], upper, 0)
            parts.append(register(m, part, name=f"lane{lane}_part{j}"))
        return parts

    @staticmethod
    def _falls(
        m: Module, lane: int, limb: Value, active: Value, top: "_Top"
    ) -> tuple[list[Value], ...]:
        """Whether the lower part of a lane's mantissa, and its upper part, is for an accumulator; a
        cycle after T is known."""
        late = _Top.known_of(top.lanes)
        limb = delay(m, limb, late, name=f"limb{lane}")
        # told ahead of the mantissa: what was told before a reset is of none
        active = delay(m, active, late, name=f"active{lane}", reset=True)
        # no mantissa starts above T
        starts = Cat(active & (limb == value) for value in top.below)
        starts = register(m, starts, name=f"lane{lane}_starts", reset=True)
        of_limb = register(m, remainder(limb), name=f"lane{lane}_of_limb")
        lower, upper = starts[:2].any(), starts.any()
        return [lower & bit for bit in of_limb], [upper & of_limb[j - 1] for j in range(LIMBS)]

    def _accumulate(
        self, m: Module, j: int, parts: list[list[Value]], top: "_Top", added: int
    ) -> Value:
        """The sum of a limb; it starts anew with a row, or where its limb has left the window."""
        level = tree(m, [part[j] for part in parts], operator.add, name=f"limb{j}_level")
        most = self._golden.max_length * ((1 << len(parts[0][j])) - 1)
        add = self._target.restart_add(width=most.bit_length(), term_bits=len(level))
        m.submodules[f"add{j}"] = add
        running = register(m, add.o, name=f"running{j}")
        goes_on = delay(m, top.stays(m, j), added - top.known - 2, name=f"goes_on{j}", reset=True)
        m.d.comb += [add.running.eq(running), add.goes_on.eq(goes_on), add.term.eq(level)]
        return running

    def _join(self, m: Module, sums: list[Value], top: "_Top", complete: int) -> None:
        """The limbs' sums put in order and added, lowest first, a limb per cycle."""
        value = delay(m, top.below[0], complete - top.known, name="complete_top")
        of_limb = delay(m, top.of_limb, complete - top.known - 1, name="complete_limb")
        below, at, above = (
            register(m, _chosen(sums, [of_limb[(j - k) % LIMBS] for j in range(LIMBS)]), name=name)
            for k, name in ((-1, "below"), (0, "at"), (1, "above"))
        )
        low = register(m, Cat(below[:LIMB_BITS], at + below[LIMB_BITS:]), name="joined1")
        above = register(m, above, name="waited2")
        high = above + low[2 * LIMB_BITS :]
        m.d.comb += [
            self.o.eq(register(m, Cat(low[: 2 * LIMB_BITS], high), name="joined2")),
            self.top.eq(delay(m, value, LIMBS, name="top")),
        ]


class _Top:
    """The highest limb in which a mantissa of the row starts, T, with every beat.

    Attributes:
        below: T, T - 1 and T - 2. known: cycles from a beat's mantissas to them.
        of_limb: the accumulator of T, see :func:`remainder`, a cycle later.
    """

    def __init__(self, m: Module, limbs: list[Value], last: Value, ahead: int):
        self.lanes, self.known = len(limbs), self.known_of(len(limbs)) - ahead
        # the exp tables are far away on a device
        near = [register(m, limb, name="near_limb", reset=True) for limb in limbs]
        largest = largest_of(m, near, reset=True)
        # after a reset, a sum stays 0 until older parts have gone by
        goes_on = delay(m, ~last, self.known - 1, name="top_goes_on", reset=True)
        top = Signal(len(limbs[0]), name="running_top")
        m.d.sync += top.eq(Mux(goes_on & (top > largest), top, largest))
        self.below = [register(m, top - k, name=f"top_less{k}")[: len(top)] for k in range(3)]
        before = register(m, self.below[0], name="top_before")
        self._risen = [register(m, before == value, name="risen") for value in self.below]
        self._goes_on = delay(m, goes_on, 3, name="goes_on", reset=True)
        self.of_limb = register(m, remainder(self.below[0]), name="limb_of_top")

    @staticmethod
    def known_of(lanes: int) -> int:
        """Cycles from the places of a beat of so many lanes to T and what is below."""
        return 2 * (lanes - 1).bit_length() + 3

    def stays(self, m: Module, j: int) -> Value:
        """Accumulator j's limb is what it was with the beat before; 2 cycles after ``known``."""
        same, by_1, by_2 = self._risen
        of_limb = self.of_limb
        stays = same | (by_1 & ~of_limb[j - 1]) | (by_2 & of_limb[(j + 1) % LIMBS])
        return register(m, self._goes_on & stays, name=f"stays{j}", reset=True)


def top_bits(golden: Golden) -> int:
    """Width of the number of a limb."""
    return max((golden.largest_place >> FINE).bit_length(), 1)


def remainder(limb: Value) -> Value:
    """The accumulator of a limb, a bit for each."""
    table = [[value for value in range(1 << len(limb)) if value % LIMBS == j] for j in range(LIMBS)]
    return Cat(limb.matches(*values) if values else 0 for values in table)


def _chosen(sums: list[Value], flags: list[Value]) -> Value:
    """The sum whose flag is set."""
    return reduce(
        operator.or_, (Mux(flag, value, 0) for value, flag in zip(sums, flags, strict=True))
    )
