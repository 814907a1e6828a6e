"""A memory with one port to write and one to read, and the output register that block RAM has."""

from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from .pipeline import register


class TwoPort(wiring.Component):
    """A memory. Its contents after reset are undefined, and so is a word read while it is written.

    Latency 2 cycles from ``r_addr`` to ``o``; one word in and one out per cycle.

    Members:
        w_en, w_addr, i: a word to write. r_addr: a word to read. o: it, 2 cycles later.
    """

    latency = 2

    def __init__(self, *, width: int, depth: int):
        self._width, self._depth = width, depth
        super().__init__(
            {
                "w_en": In(1),
                "w_addr": In(range(depth)),
                "i": In(width),
                "r_addr": In(range(depth)),
                "o": Out(width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.words = words = memory.Memory(shape=self._width, depth=self._depth, init=[])
        write, read = words.write_port(), words.read_port()
        m.d.comb += [
            write.en.eq(self.w_en),
            write.addr.eq(self.w_addr),
            write.data.eq(self.i),
            read.addr.eq(self.r_addr),
            self.o.eq(register(m, read.data, name="word_read")),
        ]
        return m
