"""The loss of a token: that of its row in the head, and that of its row in a tail."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..ports.beats import id_field, row_layout
from .token_rows import record_layout


class TokenLoss(wiring.Component):
    """Adds the losses of the rows of each token. A token without a row is ignored.

    Latency 1 cycle from the later of a token's record and its last row's loss, or 2; a record or a
    loss per cycle.

    Args:
        i: layout of a row's loss, whose id begins with the row's own.

    Members:
        record: of every token, see :func:`record_layout`.
        i: the losses of their rows.
        o: the losses of the tokens, see :func:`token_loss_layout`.
    """

    def __init__(self, *, config: SoftmaxConfig, i: data.StructLayout):
        self._config = config
        super().__init__(
            {
                "record": In(stream.Signature(record_layout(config))),
                "i": In(stream.Signature(i)),
                "o": Out(stream.Signature(token_loss_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        record, i, o = self.record.payload, self.i.payload, self.o.payload
        step, none, more, second = Signal(), Signal(), Signal(), Signal()
        first = Signal(row_layout(self._config, ("ignored",)))
        held = Signal(self._config.loss.width)
        error, ignored = i.row.error | first.error, i.row.ignored | first.ignored
        m.d.comb += [
            step.eq((~self.o.valid | self.o.ready) & self.record.valid),
            none.eq(record.none),
            more.eq(record.two & ~second),  # the head's row, of two
            self.i.ready.eq(step & ~none),
            self.record.ready.eq(step & (none | (self.i.valid & ~more))),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [
                second.eq(more),
                held.eq(Mux(more, i.loss, 0)),
                first.error.eq(more & i.row.error),
                first.ignored.eq(more & i.row.ignored),
            ]
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += [
                self.o.valid.eq(self.record.ready & self.record.valid),
                o.loss.eq(Mux(none | error, 0, i.loss + held)),
                o.row.error.eq(~none & error),
                o.row.ignored.eq(none | ignored),
            ]
            if self._config.predicts:
                m.d.sync += o.word.eq(Mux(none, 0, record.word))
            if self._config.id_width:
                m.d.sync += o.row.id.eq(Mux(none, 0, i.row.id[: self._config.id_width]))
        return m


def token_loss_layout(config: SoftmaxConfig) -> data.StructLayout:
    """The loss of a token, its word where some are predicted, and the status of its rows; the
    ``id`` is its last row's."""
    word = {"word": config.clusters.vocabulary.bit_length()} if config.predicts else {}
    row = {"error": 1, "ignored": 1, **id_field(config)}
    return data.StructLayout(
        {
            "loss": config.adaptive_loss.width,
            **word,
            "row": data.StructLayout(row),
        }
    )
