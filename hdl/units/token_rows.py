"""Asks for the rows of tokens, one after another, and tells the targets of those."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Member, Out

from ...golden.config import SoftmaxConfig
from ..flow.skid import Skid
from ..stages.locate import place_layout, predict_field
from .row_target import target_layout


class TokenRows(wiring.Component):
    """The rows of a token are the head's, and that of a tail where its word is one of that.

    A row is asked for in every cycle in which all outputs can be taken: they are valid only then,
    but for ``request``, which has a place of its own.

    Members:
        token: where words are, see :func:`place_layout`.
        request: rows that are asked for, see :func:`request_layout`.
        asked: the same rows, for what accepts them.
        target: the target of every row.
        record: of every token, in order, see :func:`record_layout`.
    """

    def __init__(self, *, config: SoftmaxConfig):
        super().__init__(members_of(config))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        token, second = self.token.payload, Signal()  # the head's row was asked for
        room, last = room_for(m, self), Signal()
        ask = room & ~token.outside
        m.d.comb += last.eq(second | token.in_head | token.outside)
        with m.If(room):
            m.d.sync += second.eq(~last)
        m.d.comb += [
            self.token.ready.eq(room & last),
            self.asked.valid.eq(ask),
            self.asked.payload.cluster.eq(Mux(second, token.cluster, 0)),
            self.target.valid.eq(ask),
            self.target.payload.index.eq(Mux(second, token.tail, token.head)),
            self.record.valid.eq(room & last),
            self.record.payload.none.eq(token.outside),
            self.record.payload.two.eq(second),
        ]
        return m


def members_of(config: SoftmaxConfig) -> dict[str, Member]:
    """The members of :class:`TokenRows`."""
    return {
        "token": In(stream.Signature(place_layout(config))),
        "request": Out(stream.Signature(request_layout(config))),
        "asked": Out(stream.Signature(request_layout(config))),
        "target": Out(stream.Signature(target_layout())),
        "record": Out(stream.Signature(record_layout(config))),
    }


def room_for(m: Module, rows: wiring.Component) -> Signal:
    """Whether there is a token, and room for all that it may give; ``request`` is driven too."""
    room = Signal()
    # no port looks at another one's reader in the same cycle
    m.submodules.requests = requests = Skid(rows.asked.payload.shape())
    wiring.connect(m, requests.o, wiring.flipped(rows.request))
    m.d.comb += [
        requests.i.valid.eq(rows.asked.valid),
        requests.i.payload.eq(rows.asked.payload),
        room.eq(
            rows.token.valid
            & requests.i.ready
            & rows.asked.ready
            & rows.target.ready
            & rows.record.ready
        ),
    ]
    return room


def request_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A row that is asked for: its cluster, and whether its target is predicted."""
    cluster = range(config.clusters.tails + 1)
    return data.StructLayout({"cluster": cluster, **predict_field(config)})


def record_layout(config: SoftmaxConfig) -> data.StructLayout:
    """What is known of a token: that it has no row, or two; its word where some are predicted."""
    word = {"word": config.clusters.vocabulary.bit_length()} if config.predicts else {}
    return data.StructLayout({"none": 1, "two": 1, **word})
