"""The address of a row's largest element, a beat of lanes at a time."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..parts.pipeline import delay, largest_of, register


class RowLargest(wiring.Component):
    """Maximum over the active addresses of each row, signed as codes are.

    Nobody waits for it as for a maximum that is subtracted, so that lanes are compared in one cycle
    and chosen from in the next.

    Latency ``2 + 2 * ceil(log2(lanes))`` cycles from the row's last beat, one beat per cycle.

    Members:
        i_last: the last beat of a row.
        i: the beat's addresses. active: those that take part; none does without a beat.
        o: the largest of the row whose last beat came ``latency`` cycles ago; the lowest where no
            element took part.
    """

    def __init__(self, *, lanes: int, width: int):
        super().__init__(
            {
                "i_last": In(1),
                "i": In(data.ArrayLayout(width, lanes)),
                "active": In(lanes),
                "o": Out(width),
            }
        )

    @staticmethod
    def latency_of(lanes: int) -> int:
        """Latency in cycles from the row's last beat."""
        return 2 + 2 * (lanes - 1).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # counted from the lowest, which is 0
        codes = [Cat(address[:-1], ~address[-1]) for address in self.i]
        lanes = [
            register(m, Mux(active, code, 0), name="code")
            for code, active in zip(codes, self.active, strict=True)
        ]
        beat = largest_of(m, lanes)
        # after a reset, the largest is the lowest until older lanes have gone by
        cycles = self.latency_of(len(lanes)) - 1
        end = delay(m, self.i_last, cycles, name="end", reset=True, init=1)
        running = Signal(len(beat), reset_less=True)
        largest = Mux(running > beat, running, beat)
        m.d.sync += running.eq(Mux(end, 0, largest))
        largest = register(m, largest, name="largest")
        m.d.comb += self.o.eq(Cat(largest[:-1], ~largest[-1]))
        return m
