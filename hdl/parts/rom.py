"""A read-only table, as a memory with contents or as a case statement."""

from collections.abc import Callable

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class Rom(wiring.Component):
    """A table of unsigned entries; addresses beyond the last entry read as 0.

    Latency 2 cycles (the read, and the output register that block RAM offers), one read per cycle.

    Members:
        i: address.
        o: entry, 2 cycles later.
    """

    latency = 2

    def __init__(self, *, entries: list[int], width: int):
        self._entries, self._width = entries, width
        super().__init__({"i": In(address_bits(len(entries))), "o": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = 1 << len(self.i)
        contents = memory.Memory(shape=self._width, depth=depth, init=self._entries)
        m.submodules.contents = contents
        port = contents.read_port()
        m.d.comb += port.addr.eq(self.i)
        m.d.sync += self.o.eq(port.data)
        return m


class CaseRom(Rom):
    """The same table as a case statement: nothing in it depends on an initialised memory."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entry = Signal(self._width, reset_less=True)
        entry_read = Signal(self._width, reset_less=True)
        last = (1 << len(self.i)) - 1
        beyond = self._entries[last] if len(self._entries) > last else 0
        with m.Switch(self.i):
            for address, value in enumerate(self._entries[:last]):
                with m.Case(address):
                    m.d.sync += entry.eq(value)
            with m.Default():  # every case statement has one, a full table's its last entry
                m.d.sync += entry.eq(beyond)
        m.d.sync += entry_read.eq(entry)
        m.d.comb += self.o.eq(entry_read)
        return m


Table = tuple[list[int], int]
"""Entries of a table, and their width in bits."""


class RomPair(wiring.Component):
    """Two tables that are read side by side; twice a :class:`Rom`.

    Args:
        rom: makes the ROM of a table.

    Members: i_a, i_b: addresses. o_a, o_b: entries, 2 cycles later.
    """

    latency = Rom.latency

    def __init__(self, a: Table, b: Table, *, rom: Callable[..., Rom] = Rom):
        self._tables, self._rom = {"a": a, "b": b}, rom
        members = {}
        for name, (entries, width) in self._tables.items():
            members[f"i_{name}"] = In(address_bits(len(entries)))
            members[f"o_{name}"] = Out(width)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, (entries, width) in self._tables.items():
            m.submodules[name] = rom = self._rom(entries=entries, width=width)
            address, entry = getattr(self, f"i_{name}"), getattr(self, f"o_{name}")
            m.d.comb += [rom.i.eq(address), entry.eq(rom.o)]
        return m


def address_bits(entries: int) -> int:
    """Width of a table's address."""
    return max((entries - 1).bit_length(), 1)
