"""The element that a class index names, out of a row that waits."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay, register
from ..parts.two_port import TwoPort
from ..targets.generic import GENERIC, Target


class Pick(wiring.Component):
    """Keeps the elements of rows that are in flight, and reads one of each row, in order.

    Latency :meth:`latency_of` cycles from index to element, one row per cycle.

    Args:
        depth: beats that are in flight. longest: of a row, where rows come in parts: elements are
            then those of a part, of which the last beat has come.

    Members:
        i_valid, i, i_place: a beat of elements, and where it is kept: beats go round a ring, whose
            size is a power of two.
        take, index, beats: the element of the next row that is wanted, and the row's beats; every
            row takes one, its last beat having come before. Where rows come in parts: the beats up
            to the part's end, ``first`` those before it, and ``take`` is the last part's.
        place, lane: where the element is kept. outside: the row, or the part, has no such beat.
        o: the element; anything where ``outside``.
    """

    INDEX_BITS = 32
    GROUP = 8
    """Bits of the index that are looked at in one cycle, those too high for a row."""

    def __init__(
        self,
        element: data.StructLayout,
        *,
        lanes: int,
        depth: int,
        longest: int | None = None,
        target: Target = GENERIC,
    ):
        self._lanes, self._target = lanes, target
        self._depth = 1 << (depth - 1).bit_length()  # so that addresses wrap by themselves
        beats = max(depth, longest or 0)
        self._beat_bits = (beats - 1).bit_length()
        super().__init__(
            {
                "i_valid": In(1),
                "i": In(data.ArrayLayout(element, lanes)),
                "i_place": In(range(self._depth)),
                "take": In(1),
                "index": In(self.INDEX_BITS),
                "beats": In(range(beats + 1)),
                **({} if longest is None else {"first": In(range(beats + 1))}),
                "place": Out(range(self._depth)),
                "lane": Out(range(lanes)),
                "outside": Out(1),
                "o": Out(element),
            }
        )

    @staticmethod
    def split_latency(lanes: int) -> int:
        """Cycles that it takes to divide an index by the lanes."""
        return 0 if _is_power_of_2(lanes) else 5

    @classmethod
    def latency_of(cls, lanes: int) -> int:
        """Latency in cycles."""
        return cls.split_latency(lanes) + 1 + TwoPort.latency + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Value.cast(self.i)
        m.submodules.ring = ring = self._target.two_port(width=len(word), depth=self._depth)
        m.d.comb += [ring.w_en.eq(self.i_valid), ring.w_addr.eq(self.i_place), ring.i.eq(word)]

        beat, lane, far = self._split(m)
        wait = self.split_latency(self._lanes)
        beats = delay(m, self.beats, wait, name="beats")
        start = Signal(range(self._depth))
        with m.If(delay(m, self.take, wait, name="take", reset=True)):
            m.d.sync += start.eq(start + beats)
        groups = [far[low : low + self.GROUP] for low in range(0, len(far), self.GROUP)]
        high = [register(m, group.any(), name=f"high{j}") for j, group in enumerate(groups)]
        beyond = beat >= beats
        if "first" in self.signature.members:
            beyond |= beat < delay(m, self.first, wait, name="first")
        beyond = register(m, beyond, name="beyond")
        outside = register(m, Cat(high, beyond).any(), name="outside")
        place = register(m, (start + beat)[: len(start)], name="place")
        m.d.comb += ring.r_addr.eq(place)

        def later(value: Value, name: str) -> Value:
            return delay(m, value, 1 + ring.latency, name=name)

        # registers that are cleared, and an OR, cost less than a choice
        others = [later(lane != j, f"other{j}") for j in range(self._lanes)]
        bits = len(word) // self._lanes
        elements = [ring.o[j * bits :][:bits] for j in range(self._lanes)]
        masked = [
            register(m, Mux(other, 0, element), name=f"element{j}")
            for j, (other, element) in enumerate(zip(others, elements, strict=True))
        ]
        m.d.comb += [
            self.place.eq(delay(m, place, ring.latency + 2, name="place")),
            self.lane.eq(delay(m, later(lane, "lane"), 2, name="lane")),
            self.outside.eq(delay(m, outside, ring.latency + 1, name="outside")),
            self.o.eq(register(m, reduce(or_, masked), name="element")),
        ]
        return m

    def _split(self, m: Module) -> tuple[Value, Value, Value]:
        """(beat, lane) of the index, and bits of which one is set if it is beyond any row's."""
        bits = self._beat_bits + len(self.lane)
        index, far = self.index[:bits], self.index[bits:]
        if _is_power_of_2(self._lanes):
            place = (self._lanes - 1).bit_length()
            return index[place:], index[:place], far
        # index // lanes is (index * factor) >> shift: the factor is too large by less than lanes,
        # which index cannot lift to the next whole number
        shift = bits + 7
        factor = -(-(1 << shift) // self._lanes)
        m.submodules.multiply = multiply = self._target.multiply(
            a_bits=bits, b_bits=factor.bit_length()
        )
        m.d.comb += [multiply.a.eq(index), multiply.b.eq(factor)]
        quotient = multiply.o[shift : shift + bits]
        beat = register(m, quotient[: self._beat_bits], name="quotient")
        index = delay(m, index, multiply.latency + 1, name="index")
        lane = register(m, (index - beat * self._lanes)[: len(self.lane)], name="remainder")
        beyond = (
            delay(m, far.any(), multiply.latency, name="far") | quotient[self._beat_bits :].any()
        )
        return register(m, beat, name="beat"), lane, delay(m, beyond, 2, name="beyond")


def _is_power_of_2(number: int) -> bool:
    return number & (number - 1) == 0
