"""The largest element of a row, a beat of lanes at a time."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay, register, tree


class RowMax(wiring.Component):
    """Maximum over the active elements of each row; the twin of ``golden.stages.row_max``.

    Latency ``2 + ceil(log2(lanes))`` cycles from the row's last beat, one beat per cycle.

    Members:
        i_last: the last beat of a row.
        i: the beat's elements. active: those that take part; none does without a beat.
        o: the maximum of the row whose last beat came ``latency`` cycles ago.
    """

    def __init__(self, *, lanes: int, width: int, lowest: int):
        self._lowest = lowest
        super().__init__(
            {
                "i_last": In(1),
                "i": In(data.ArrayLayout(signed(width), lanes)),
                "active": In(lanes),
                "o": Out(signed(width)),
            }
        )

    @staticmethod
    def latency_of(lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return 2 + (lanes - 1).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = [
            register(m, Mux(self.active[lane], self.i[lane], self._lowest), name=f"lane{lane}")
            for lane in range(len(self.active))
        ]
        beat = tree(m, lanes, _larger, name="level")
        cycles = self.latency_of(len(lanes)) - 1
        # without a beat, lanes are lowest; after a reset, so is the maximum until older lanes have
        # gone by
        end = delay(m, self.i_last, cycles, name="end", reset=True, init=1)
        running = Signal.like(self.o, init=self._lowest, reset_less=True)
        largest = _larger(running, beat)
        m.d.sync += running.eq(Mux(end, self._lowest, largest))
        m.d.comb += self.o.eq(register(m, largest, name="largest"))
        return m


def _larger(a: Value, b: Value) -> Value:
    # the sign of the difference comes from one carry chain, a comparison from two
    return Mux((b - a)[-1], a, b)
