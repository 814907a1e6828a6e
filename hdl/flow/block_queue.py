"""Beats that wait for a reader in block RAM, where a unit has some to spare."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value

from ..parts.pipeline import register
from ..targets.generic import GENERIC, Target
from .queue import Queue


class BlockQueue(Queue):
    """A :class:`Queue` whose words lie in block RAM, which takes no LUTs.

    The memory's two read registers are a pipeline of their own: each goes on as the one behind it
    does, or holds nothing. The later one is the output.

    Latency 3 cycles; one beat in and one out per cycle.
    """

    latency = Queue.latency + 1

    def __init__(self, shape: ShapeLike, target: Target = GENERIC):
        super().__init__(shape)
        self._target = target

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, payload = Value.cast(self.i), Value.cast(self.o.payload)
        m.submodules.words = words = self._target.two_port(width=len(i), depth=self.words)
        w_en = register(m, self.produce_next, name="w_en", reset=True)
        level, some = Signal(range(self.words + 1)), Signal()
        read, empty = Signal(), Signal(init=1)  # a word was read; the output register has none
        load, output = Signal(), Signal()
        taken = load & some
        some_next = w_en | (level > 1) | (level[0] & ~taken)
        m.d.comb += [
            words.w_en.eq(w_en),
            words.i.eq(i),
            output.eq(empty | self.o.ready),
            load.eq(~read | output),
            words.r_en.eq(load),
            words.o_en.eq(output),
            payload.eq(words.o),
        ]
        valid_next = Mux(output, read, ~empty)
        m.d.sync += [
            words.w_addr.eq(words.w_addr + w_en),
            words.r_addr.eq(words.r_addr + taken),
            level.eq(level + Mux(w_en, Mux(taken, 0, 1), Mux(taken, -1, 0))),
            some.eq(some_next),
            read.eq(Mux(load, some, 1)),
            self.o.valid.eq(valid_next),
            empty.eq(~valid_next),
        ]
        return m
