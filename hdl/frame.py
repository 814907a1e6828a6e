"""What comes in by the stream, made into clean beats: clipped elements, and who takes part."""

from amaranth.hdl import Module, Mux, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..golden.config import SoftmaxConfig
from .pipeline import delay


class Frame(wiring.Component):
    """Clips a beat's elements to the range and decodes which of them take part.

    Latency 1 cycle, one beat per cycle.

    Members:
        i_valid, i_last: a beat, the last of its row or not.
        i: input codes. keep: elements present in the beat. mask: elements left out of the row.
        o_valid, o_last, o: the beat with clipped codes.
        active: elements that take part. o_keep: elements present. clipped: elements clipped.
    """

    latency = 1

    def __init__(self, *, config: SoftmaxConfig):
        self._config = config
        lanes, elements = config.lanes, data.ArrayLayout(signed(config.input.width), config.lanes)
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(elements),
                "keep": In(lanes),
                "mask": In(lanes),
                "o_valid": Out(1),
                "o_last": Out(1),
                "o": Out(elements),
                "active": Out(lanes),
                "o_keep": Out(lanes),
                "clipped": Out(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o_valid.eq(delay(m, self.i_valid, 1, name="valid", reset=True)),
            self.o_last.eq(delay(m, self.i_last, 1, name="last")),
        ]
        active = self.keep & ~self.mask
        m.d.sync += [self.o_keep.eq(self.keep), self.active.eq(active)]
        limit = self._config.range_code
        for lane, x in enumerate(self.i):
            if self._config.clip == "input":
                above, below = x > limit, x < -limit
                m.d.sync += [
                    self.o[lane].eq(Mux(above, limit, Mux(below, -limit, x))),
                    self.clipped[lane].eq((above | below) & active[lane]),
                ]
            else:
                m.d.sync += self.o[lane].eq(x)
        return m
