"""Asks for the rows of tokens some of whose words are predicted, row by row."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.choice import chosen
from ..parts.compare import above
from ..parts.pipeline import register
from .token_rows import members_of, room_for


class PredictedRows(wiring.Component):
    """As :class:`.token_rows.TokenRows`, and the target of a row may be its winner.

    What follows a row whose target is predicted waits for its winner.

    Members: those of :class:`.token_rows.TokenRows`, and
        winner_valid, winner: the place of the largest element of a predicted row; it stays.
    """

    def __init__(self, *, config: SoftmaxConfig):
        self._config = config
        winner = {"winner_valid": In(1), "winner": In(range(max(config.clusters.lengths)))}
        super().__init__({**members_of(config), **winner})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.winner = winner = _Winner(config=self._config)
        token, second, waits = self.token.payload, Signal(), Signal()
        predict, outside, room = token.predict, token.outside, room_for(m, self)
        known, last, ask = Signal(), Signal(), Signal()
        m.d.comb += [
            # the target of a row is, or that there is no row
            known.eq(room & (~predict | winner.known)),
            ask.eq(room & Mux(predict, ~waits, ~outside)),
            last.eq(second | Mux(predict, winner.in_head, token.in_head | outside)),
        ]
        with m.If(known):
            m.d.sync += second.eq(~last)
        with m.If(room & predict):
            m.d.sync += waits.eq(~known)
        tail = Mux(predict, winner.cluster, token.cluster)
        place = Mux(second, token.tail, token.head)
        m.d.comb += [
            winner.i_valid.eq(self.winner_valid),
            winner.i.eq(self.winner),
            winner.second.eq(second),
            winner.taken.eq(known),
            self.token.ready.eq(known & last),
            self.asked.valid.eq(ask),
            self.asked.payload.cluster.eq(Mux(second, tail, 0)),
            self.asked.payload.predict.eq(predict),
            self.target.valid.eq(known & ~outside),
            self.target.payload.index.eq(Mux(predict, self.winner, place)),
            self.record.valid.eq(known & last),
            self.record.payload.none.eq(outside),
            self.record.payload.two.eq(second),
            self.record.payload.word.eq(Mux(predict, winner.word, token.word)),
        ]
        return m


class _Winner(wiring.Component):
    """What the winner of a row means.

    Members:
        i_valid, i: the place of a row's largest element. second: the row is a tail's.
        taken: it is used up.
        known: there is one. in_head: it is a word of the head, or else the entry of ``cluster``,
            which stays until the winner of that is known. word: if it is a word, its id.
    """

    def __init__(self, *, config: SoftmaxConfig):
        self._clusters = clusters = config.clusters
        super().__init__(
            {
                "i_valid": In(1),
                "i": In(range(max(clusters.lengths))),
                "second": In(1),
                "taken": In(1),
                "known": Out(1),
                "in_head": Out(1),
                "cluster": Out(range(clusters.tails + 1)),
                "word": Out(clusters.vocabulary.bit_length()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        clusters, known = self._clusters, Signal()
        first = chosen((0, *clusters.cutoffs), Mux(self.second, self.cluster, 0))
        with m.If(self.i_valid):
            m.d.sync += known.eq(1)
        with m.Elif(self.taken):
            m.d.sync += known.eq(0)
        with m.If(self.i_valid & ~self.second):
            entry = self.i - (clusters.shortlist - 1)
            m.d.sync += self.cluster.eq(entry[: len(self.cluster)])
        m.d.comb += [
            self.known.eq(known),
            self.in_head.eq(register(m, ~above(self.i, clusters.shortlist - 1), name="in_head")),
            self.word.eq(register(m, self.i + first, name="word")),
        ]
        return m
