"""A table that rises slowly with its address."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .pipeline import delay, register
from .rom import CaseRom, address_bits


class Staircase(wiring.Component):
    """A table of unsigned entries in logic. Where neighbours differ by little, it is small.

    The largest aligned groups of entries within which the entries rise at most once, and then by 1,
    keep their first entry and the place of the rise.

    Latency 4 cycles, one read per cycle.

    Members: i: address. o: entry, 4 cycles later.
    """

    latency = CaseRom.latency + 2

    def __init__(self, *, entries: list[int], width: int):
        self._entries, self._width = entries, width
        super().__init__({"i": In(address_bits(len(entries))), "o": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = _group_bits(self._entries)
        groups = [
            self._entries[start : start + (1 << bits)]
            for start in range(0, len(self._entries), 1 << bits)
        ]
        # entries up to this place are the group's first one, further ones are 1 more
        places = [sum(entry == group[0] for entry in group) - 1 for group in groups]
        m.submodules.first = first = CaseRom(
            entries=[group[0] << bits | place for group, place in zip(groups, places, strict=True)],
            width=self._width + bits,
        )
        m.d.comb += first.i.eq(self.i[bits:])
        place = delay(m, self.i[:bits], first.latency, name="place")
        risen = register(m, place > first.o[:bits], name="risen") if bits else 0
        low = register(m, first.o[bits:], name="low")
        m.d.comb += self.o.eq(register(m, Mux(risen, low + 1, low)[: self._width], name="entry"))
        return m


def logic_bits(entries: list[int], width: int) -> int:
    """Bits of the table of groups, all of which are logic."""
    bits = _group_bits(entries)
    return (len(entries) >> bits) * (width + bits)


def _group_bits(entries: list[int]) -> int:
    """Bits of the address within a group."""

    def fits(bits: int) -> bool:
        groups = (entries[j : j + (1 << bits)] for j in range(0, len(entries), 1 << bits))
        return all(group == sorted(group) and group[-1] <= group[0] + 1 for group in groups)

    return max(bits for bits in range(address_bits(len(entries))) if fits(bits))
