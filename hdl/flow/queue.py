"""Beats that wait for a reader."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out


class Queue(wiring.Component):
    """Words of LUT RAM and an output register: a queue that never checks whether it is full.

    Whoever writes holds credits for :attr:`places` beats. Unlike a queue that refuses, it needs no
    comparison between the writer and the memory.

    Latency 2 cycles; one beat in and one out per cycle.

    Args:
        words: a power of two.

    Members:
        produce_next: a beat comes in with the next cycle. i: the beat, in that cycle.
        o: beats in the same order.
    """

    latency = 2
    WORDS = 16
    """Words of a LUT RAM; a memory of more takes several."""
    places = WORDS + 1

    def __init__(self, shape: ShapeLike, words: int = WORDS):
        self.words, self.places = words, words + 1
        super().__init__({"produce_next": In(1), "i": In(shape), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, payload = Value.cast(self.i), Value.cast(self.o.payload)
        m.submodules.words = words = memory.Memory(shape=len(i), depth=self.words, init=[])
        write, read = words.write_port(), words.read_port(domain="comb")
        front = Signal(len(payload), reset_less=True)
        level, some = Signal(range(self.words + 1)), Signal()
        # memory and output register are wide: what reaches them is kept apart from what the
        # counters need, in registers of the opposite sense, so that the counters need not wait
        w_en, quiet = Signal(), Signal(init=1)
        none, idle = Signal(init=1), Signal(init=1)
        take, step = Signal(), Signal()
        m.d.comb += [
            write.en.eq(w_en),
            write.data.eq(i),
            take.eq(some & (~self.o.valid | self.o.ready)),
            step.eq(~none & (idle | self.o.ready)),
            payload.eq(front),
        ]
        some_next = ~quiet | (level > 1) | (level[0] & ~step)
        valid_next = ~none | ~(idle | self.o.ready)
        m.d.sync += [
            w_en.eq(self.produce_next),
            quiet.eq(~self.produce_next),
            write.addr.eq(write.addr + ~quiet),
            read.addr.eq(read.addr + step),
            level.eq(level + Mux(quiet, Mux(step, -1, 0), ~step)),
            some.eq(some_next),
            none.eq(~some_next),
            self.o.valid.eq(valid_next),
            idle.eq(~valid_next),
        ]
        with m.If(take):
            m.d.sync += front.eq(read.data)
        return m
