"""The winners of the rows whose targets are predicted."""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.pipeline import delay, register
from ..ports.beats import input_layout
from ..stages.argmax import Argmax


class RowWinner(wiring.Component):
    """The place of each row's largest element; of a row that is not as long as it should be, 0.

    Members:
        i_valid, i: a beat of a row, see :func:`input_layout`. place: of its first element.
        wanted: the row's target is predicted. wrong: with a last beat: the row has another length.
        o_valid, o: the winner of a wanted row; it stays.
    """

    def __init__(self, *, config: SoftmaxConfig):
        self._config = config
        self._places = places = config.max_beats * config.lanes
        super().__init__(
            {
                "i_valid": In(1),
                "i": In(input_layout(config)),
                "place": In(range(places)),
                "wanted": In(1),
                "wrong": In(1),
                "o_valid": Out(1),
                "o": Out(range(places)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.argmax = argmax = Argmax(
            lanes=self._config.lanes, width=self._config.input.width, places=self._places
        )
        wait = Argmax.latency_of(self._config.lanes)
        ended = delay(m, self.i_valid & self.i.last & self.wanted, wait, name="ended", reset=True)
        wrong = delay(m, self.wrong, wait, name="wrong")
        with m.If(ended):
            m.d.sync += self.o.eq(Mux(wrong, 0, argmax.o))
        m.d.comb += [
            argmax.i_valid.eq(self.i_valid),
            argmax.i_last.eq(self.i.last),
            argmax.i.eq(self.i.x),
            argmax.active.eq(self.i.present & ~self.i.mask),
            argmax.place.eq(self.place),
            self.o_valid.eq(register(m, ended, name="o_valid", reset=True)),
        ]
        return m
