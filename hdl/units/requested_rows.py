"""Accepts the rows that were asked for, and no others; finds those of another length."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.choice import chosen
from ..ports.beats import input_layout
from .token_rows import request_layout


class RequestedRows(wiring.Component):
    """Rows of logits come in the order in which they were asked for.

    A row that was not asked for waits. One of another length than that of its cluster is broken:
    its last beat is marked so, and with it the row is in error. Latency 1 cycle, one beat per
    cycle, rows back to back.

    Args:
        tagged: the configuration of what rows go to: its id is the row's, and above that the
            request that the row answers.

    Members:
        asked: rows that were asked for.
        i: rows of logits, see :func:`input_layout`. o: the same, tagged.
        o_place: of the beat's first element in the row. o_wrong: a row that ends with it is broken.
    """

    latency = 1

    def __init__(self, *, config: SoftmaxConfig, tagged: SoftmaxConfig):
        self._config = config
        super().__init__(
            {
                "asked": In(stream.Signature(request_layout(config))),
                "i": In(stream.Signature(input_layout(config))),
                "o": Out(stream.Signature(input_layout(tagged))),
                "o_place": Out(range(config.max_beats * config.lanes)),
                "o_wrong": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, o, asked = self.i.payload, self.o.payload, self.asked
        step, valid, beat = Signal(), Signal(), Signal(range(self._config.max_beats))
        # the beat is wide: what enables it is kept apart from what the counters need, by a
        # register of the opposite sense
        empty, load = Signal(init=1), Signal()
        m.d.comb += [
            step.eq(empty | self.o.ready),
            load.eq(~self.o.valid | self.o.ready),
            valid.eq(self.i.valid & asked.valid),
            self.i.ready.eq(asked.valid & step),
            asked.ready.eq(self.i.valid & i.last & step),
        ]
        with m.If(step & valid):
            m.d.sync += beat.eq(Mux(i.last, 0, beat + 1))
        wrong = self._wrong(m, beat, step & valid)
        ident = i.id if self._config.id_width else Const(0, 0)
        with m.If(step):
            m.d.sync += empty.eq(~valid)
        with m.If(load):
            m.d.sync += [
                self.o.valid.eq(valid),
                *(o[name].eq(i[name]) for name in ("x", "present", "mask", "last")),
                o.broken.eq(i.broken | (wrong & i.last)),  # of lane 0: no matter which
                o.id.eq(Cat(ident, asked.payload)),
                self.o_place.eq(beat * self._config.lanes),
                self.o_wrong.eq(wrong),
            ]
        return m

    def _wrong(self, m: Module, beat: Signal, accepted: Value) -> Value:
        """Whether a row that ends with this beat is not as long as it should be."""
        config, cluster, i = self._config, self.asked.payload.cluster, self.i.payload
        lengths, lanes = config.clusters.lengths, config.lanes
        final = [(length - 1) // lanes for length in lengths]
        present = [(1 << (length - 1) % lanes + 1) - 1 for length in lengths]
        beyond = Signal()  # more beats came than any row has
        with m.If(accepted):
            m.d.sync += beyond.eq(~i.last & (beyond | (beat == config.max_beats - 1)))
        return beyond | (beat != chosen(final, cluster)) | (i.present != chosen(present, cluster))
