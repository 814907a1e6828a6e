"""Holds the beats of rows until a value of the whole row is known, then lets both out together."""

from amaranth.hdl import Cat, Module, Mux, ShapeLike, Signal, Value
from amaranth.lib import fifo, memory, wiring
from amaranth.lib.wiring import In, Out

from .pipeline import register


class RowBuffer(wiring.Component):
    """A ring of beats, joined with one scalar per row (its maximum, or its reciprocal).

    A row may leave once its scalar has come; the beats of later rows come in meanwhile. Scalars
    come in the order of the rows, at least one cycle after their row's last beat. The buffer
    itself never refuses anything: whoever writes holds credits for ``depth`` beats and ``rows``
    rows.

    Latency 3 cycles from ``read`` to ``o_valid``; one beat in and one out per cycle.

    Members:
        i_valid, i_last, i: a beat comes in, the last of its row or not.
        i_scalar_valid, i_scalar: the scalar of the oldest row that has none yet.
        read: allows a beat to leave; it does if a complete row has one (``reading``).
        reading: a beat leaves the ring in this cycle; its place is free.
        o_valid, o_last, o, o_scalar: a beat and the scalar of its row.
    """

    latency = 3

    def __init__(self, *, beat: ShapeLike, scalar: ShapeLike, depth: int, rows: int):
        self._depth, self._rows = depth, rows
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(beat),
                "i_scalar_valid": In(1),
                "i_scalar": In(scalar),
                "read": In(1),
                "reading": Out(1),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o": Out(beat),
                "o_scalar": Out(scalar),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, scalar = Value.cast(self.i), Value.cast(self.i_scalar)
        m.submodules.ring = ring = memory.Memory(shape=len(i) + 1, depth=self._depth, init=[])
        count = range(self._depth + 1)

        # in: beats to the ring, the number of beats of each row to a queue
        write = ring.write_port()
        beats = Signal(count, init=1)
        m.submodules.lengths = lengths = fifo.SyncFIFO(width=len(beats), depth=self._rows)
        m.d.comb += [
            write.en.eq(self.i_valid),
            write.data.eq(Cat(self.i_last, i)),
            lengths.w_en.eq(self.i_valid & self.i_last),
            lengths.w_data.eq(beats),
        ]
        with m.If(self.i_valid):
            m.d.sync += [
                write.addr.eq(_next(write.addr, self._depth)),
                beats.eq(beats + 1),
            ]
            with m.If(self.i_last):
                m.d.sync += beats.eq(1)

        # a scalar makes the beats of its row ready to leave
        m.submodules.scalars = scalars = fifo.SyncFIFO(width=len(scalar), depth=self._rows)
        ready = Signal(count)
        arriving = Signal(count)
        m.d.comb += [
            scalars.w_en.eq(self.i_scalar_valid),
            scalars.w_data.eq(scalar),
            lengths.r_en.eq(self.i_scalar_valid),
        ]
        with m.If(self.i_scalar_valid):
            m.d.comb += arriving.eq(lengths.r_data)
        m.d.comb += self.reading.eq(self.read & (ready != 0))
        m.d.sync += ready.eq(ready + arriving - self.reading)

        # out: the ring's two cycles, then joined with the scalar at the head of its queue
        port = ring.read_port()
        pointer = Signal(range(self._depth))
        m.d.comb += port.addr.eq(pointer)
        with m.If(self.reading):
            m.d.sync += pointer.eq(_next(pointer, self._depth))
        valid = register(m, self.reading, name="ring_valid_1", reset=True)
        valid = register(m, valid, name="ring_valid_2", reset=True)
        data = register(m, port.data, name="ring_data")
        m.d.comb += scalars.r_en.eq(valid & data[0])
        m.d.sync += [
            self.o_valid.eq(valid),
            self.o_last.eq(data[0]),
            self.o.eq(data[1:]),
            self.o_scalar.eq(scalars.r_data),
        ]
        return m


def _next(pointer: Signal, depth: int) -> Value:
    """A ring pointer's next value."""
    return Mux(pointer == depth - 1, 0, pointer + 1)
