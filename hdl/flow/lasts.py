"""A mark of the words of a backlog that is known before they are taken."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import memory

from ..parts.shift_count import FIRST, OTHER, after
from .backlog import Backlog


def lasts_of(m: Module, backlog: Backlog, came: Value, arriving: Value, consume: Value) -> Signal:
    """Whether the word that can be taken is the last one of its row.

    Args:
        came: a word comes into the backlog in this cycle. arriving: it is the last one of its row.
        consume: of the backlog.
    """
    m.submodules.lasts = lasts = memory.Memory(shape=1, depth=backlog.places + 1, init=[])
    write, read = lasts.write_port(), lasts.read_port(domain="comb")
    # addresses of its own, which lie next to it; the other memory's are far from here
    place, second = Signal(len(write.addr), init=FIRST), Signal(len(read.addr), init=OTHER)
    last, several = Signal(reset_less=True), backlog.level > 1
    with m.If(came):
        m.d.sync += place.eq(after(place))
    with m.If(consume):
        m.d.sync += second.eq(after(second))
    # the first word's is in a register: what takes a word need not wait for the memory
    with m.If(consume | ~backlog.valid):
        m.d.sync += last.eq(Mux(several, read.data, arriving))
    m.d.comb += [
        write.en.eq(came),
        write.addr.eq(place),
        write.data.eq(arriving),
        read.addr.eq(second),
    ]
    return last
