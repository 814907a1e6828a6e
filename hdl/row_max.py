"""The largest element of a row, a beat of lanes at a time."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .pipeline import delay, register


class RowMax(wiring.Component):
    """Maximum over the active elements of each row; the twin of ``golden.row_max``.

    Latency ``2 + ceil(log2(lanes))`` cycles from the row's last beat, one beat per cycle.

    Members:
        i_valid, i_last: a beat, the last of its row or not.
        i: the beat's elements. active: the elements that take part.
        o_valid: a row is complete. o: its maximum.
    """

    def __init__(self, *, lanes: int, width: int, lowest: int):
        self._lowest = lowest
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(data.ArrayLayout(signed(width), lanes)),
                "active": In(lanes),
                "o_valid": Out(1),
                "o": Out(signed(width)),
            }
        )

    @staticmethod
    def latency_of(lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return 2 + (lanes - 1).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        level: list[Value] = [
            register(m, Mux(self.active[lane], self.i[lane], self._lowest), name=f"lane{lane}")
            for lane in range(len(self.active))
        ]
        cycles = 1
        while len(level) > 1:
            pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
            level = [
                register(m, _larger(*pair), name=f"level{cycles}_{i}")
                for i, pair in enumerate(pairs)
            ]
            cycles += 1
        valid = delay(m, self.i_valid, cycles, name="valid", reset=True)
        last = delay(m, self.i_last, cycles, name="last")

        running = Signal.like(self.o, init=self._lowest)
        largest = _larger(running, level[0])
        with m.If(valid):
            m.d.sync += running.eq(Mux(last, self._lowest, largest))
        m.d.sync += [self.o_valid.eq(valid & last), self.o.eq(largest)]
        return m


def _larger(a: Value, b: Value | None = None) -> Value:
    return a if b is None else Mux(a > b, a, b)
