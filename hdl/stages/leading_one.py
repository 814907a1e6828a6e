"""A sum as s * 2**q with s in [1, 2): the place of its leading one, and the bits behind it."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import register


class LeadingOne(wiring.Component):
    """The twin of ``golden.stages.leading_one.significand``.

    The sum moves up by 2**j places where its highest 2**j bits are 0, for every j, the largest
    first, and one move or two in a cycle. Which groups of bits are 0 is found a cycle ahead for the
    wide moves, whose groups are too large to be looked at in the same cycle.

    Latency :meth:`latency_of` cycles, one sum per cycle.

    Members:
        i: a sum whose leading one is at bit ``lowest`` or higher (or 0, which gives any s).
        q: the place of its leading one above ``lowest``. s: the ``kept`` bits behind it.
    """

    GROUP = 8
    """Bits of a group that is looked at ahead; moves by less look at the bits themselves."""

    def __init__(self, *, sum_bits: int, lowest: int, kept: int):
        self._places = max(sum_bits - lowest, 1)
        super().__init__(
            {"i": In(sum_bits), "q": Out(self.q_bits(sum_bits, lowest)), "s": Out(kept)}
        )

    @staticmethod
    def q_bits(sum_bits: int, lowest: int) -> int:
        """Width of q: the places that the leading one can take."""
        return max((sum_bits - lowest - 1).bit_length(), 1)

    @classmethod
    def latency_of(cls, sum_bits: int, lowest: int) -> int:
        """Latency in cycles."""
        wide, narrow = cls._moves(cls.q_bits(sum_bits, lowest))
        return bool(wide) + len(wide) + len(narrow)

    @classmethod
    def _moves(cls, q_bits: int) -> tuple[list[list[int]], list[list[int]]]:
        """The moves of every cycle, those by whole groups and the others."""
        moves = [1 << j for j in reversed(range(q_bits))]
        wide = [move for move in moves if move >= cls.GROUP]
        return _in_pairs(wide), _in_pairs(moves[len(wide) :])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        kept, reach = len(self.s), 1 << len(self.q)
        # the leading one is at one of the highest ``reach`` bits, with ``kept`` bits behind it
        value = Cat(Const(0, kept), self.i, Const(0, reach - self._places))[-(reach + kept) :]
        wide, narrow = self._moves(len(self.q))
        moved: Sequence[Value] = []
        empty: Sequence[Value] = []
        groups: Sequence[Value] = []
        if wide:
            groups = _from_the_top(value, reach, self.GROUP)
            groups = [register(m, group.any(), name="group") for group in groups]
            value = register(m, value, name="value")
            empty, groups = _empty(groups, len(wide[0]))
        for cycle, moves in enumerate(wide):
            value = register(m, _move(value, moves, empty, kept), name=f"value_{cycle}")
            moved = [register(m, flag, name="moved") for flag in [*moved, *empty]]
            if cycle + 1 < len(wide):
                empty, groups = _empty(groups, len(wide[cycle + 1]))
                empty = [register(m, flag, name="empty") for flag in empty]
                groups = [register(m, group, name="group") for group in groups]
        for cycle, moves in enumerate(narrow, start=len(wide)):
            groups = [g.any() for g in _from_the_top(value, 2 * moves[0], moves[-1])]
            empty, _ = _empty(groups, len(moves))
            value = register(m, _move(value, moves, empty, kept), name=f"value_{cycle}")
            moved = [register(m, flag, name="moved") for flag in [*moved, *empty]]
        m.d.comb += [self.q.eq(~Cat(*reversed(moved))), self.s.eq(value[:kept])]
        return m


def _in_pairs(moves: list[int]) -> list[list[int]]:
    """Moves in twos, the first alone where their number is odd."""
    odd = len(moves) % 2
    return [moves[:1]] * odd + [moves[j : j + 2] for j in range(odd, len(moves), 2)]


def _from_the_top(value: Value, bits: int, size: int) -> Sequence[Value]:
    """The highest ``bits`` bits in groups of ``size``, highest first."""
    top = value[-bits:]
    return [top[low : low + size] for low in reversed(range(0, bits, size))]


def _empty(groups: Sequence[Value], moves: int) -> tuple[Sequence[Value], Sequence[Value]]:
    """For each of some moves whether it skips empty groups, and the groups then left at the top."""
    flags = []
    for _ in range(moves):
        high, low = groups[: len(groups) // 2], groups[len(groups) // 2 :]
        flags.append(~Cat(*high).any())
        groups = [Mux(flags[-1], b, a) for a, b in zip(high, low, strict=True)]
    return flags, groups


def _move(value: Value, moves: list[int], empty: Sequence[Value], kept: int) -> Value:
    """The value moved up by the moves that skip empty bits."""
    for move, flag in zip(moves, empty, strict=True):
        moved = Mux(flag, value << move, value)[: len(value)]
        # what the further moves, which are shorter, cannot reach is not needed any more
        value = Value.cast(moved[-(move + kept) :])
    return value
