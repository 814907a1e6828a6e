"""A read-only table, as a memory with contents or as a case statement."""

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
        super().__init__({"i": In(max((len(entries) - 1).bit_length(), 1)), "o": Out(width)})

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
        entry = Signal(self._width)
        with m.Switch(self.i):
            for address, value in enumerate(self._entries):
                with m.Case(address):
                    m.d.sync += entry.eq(value)
            with m.Default():
                m.d.sync += entry.eq(0)
        m.d.sync += self.o.eq(entry)
        return m
