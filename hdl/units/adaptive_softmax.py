"""The adaptive softmax: words in, requests for rows of their clusters out; gradients and losses."""

from dataclasses import replace

from amaranth.hdl import Const, Module, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..flow.deep_queue import DeepQueue
from ..ports.beats import input_layout, output_layout
from ..stages.locate import Locate, word_layout
from ..targets.generic import GENERIC, Target
from . import cross_entropy
from .capacity import Capacity
from .cross_entropy import CrossEntropy
from .finish_residuals import FinishResiduals
from .latency import Latency
from .predicted_rows import PredictedRows
from .requested_rows import RequestedRows
from .row_winner import RowWinner
from .token_loss import TokenLoss, token_loss_layout
from .token_rows import TokenRows, record_layout, request_layout

REQUESTS = 128
"""Rows that are asked for before the first of them comes, and more: as many as are in flight where
rows of one beat are answered after 64 cycles."""
TOKENS = 256
"""Tokens in flight, at least: those of ``REQUESTS`` rows, and of all rows in the core."""


class AdaptiveSoftmax(wiring.Component):
    """The twin of ``golden.units.adaptive_softmax``, around a :class:`CrossEntropy`.

    Members:
        word: the word of every token, see :func:`word_layout`.
        request: the rows that are needed, see :func:`request_layout`, ahead of the rows.
        i: these rows, in that order, see :func:`input_layout`.
        o: gradients of rows, see :func:`cluster_gradient_layout`; none of predicted tokens.
        loss: the loss of every token, see :func:`token_loss_layout`.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._tagged, self._target = config, tagged(config), target
        super().__init__(
            {
                "word": In(stream.Signature(word_layout(config))),
                "request": Out(stream.Signature(request_layout(config))),
                "i": In(stream.Signature(input_layout(config))),
                "o": Out(stream.Signature(cluster_gradient_layout(config))),
                "loss": Out(stream.Signature(token_loss_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, kind = self._config, PredictedRows if self._config.predicts else TokenRows
        m.submodules.locate = locate = Locate(config=config)
        m.submodules.token_rows = rows = kind(config=config)
        m.submodules.core = core = CrossEntropy(
            config=self._tagged, target=self._target, skew=REQUESTS
        )
        wiring.connect(m, wiring.flipped(self.word), locate.i)
        wiring.connect(m, locate.o, rows.token)
        wiring.connect(m, wiring.flipped(self.request), rows.request)
        wiring.connect(m, rows.target, core.target)
        requested = self._accept_rows(m, rows, core)
        if isinstance(rows, PredictedRows):
            self._find_winners(m, requested, rows)
        self._add_losses(m, rows, core)
        self._give_gradients(m, core)
        return m

    def _accept_rows(
        self, m: Module, rows: TokenRows | PredictedRows, core: CrossEntropy
    ) -> RequestedRows:
        """Rows that were asked for."""
        m.submodules.asked = asked = DeepQueue(
            request_layout(self._config), words=REQUESTS, target=self._target
        )
        m.submodules.requested = requested = RequestedRows(config=self._config, tagged=self._tagged)
        wiring.connect(m, rows.asked, asked.i)
        wiring.connect(m, asked.o, requested.asked)
        wiring.connect(m, wiring.flipped(self.i), requested.i)
        wiring.connect(m, requested.o, core.i)
        return requested

    def _find_winners(self, m: Module, requested: RequestedRows, rows: PredictedRows) -> None:
        """Of rows whose targets are predicted."""
        m.submodules.row_winner = winner = RowWinner(config=self._tagged)
        beat = requested.o.payload
        m.d.comb += [
            winner.i_valid.eq(requested.o.valid & requested.o.ready),
            winner.i.eq(beat),
            winner.place.eq(requested.o_place),
            winner.wanted.eq(_request(self._config, beat.id).predict),
            winner.wrong.eq(requested.o_wrong),
            rows.winner_valid.eq(winner.o_valid),
            rows.winner.eq(winner.o),
        ]

    def _add_losses(self, m: Module, rows: TokenRows | PredictedRows, core: CrossEntropy) -> None:
        """Losses of rows become those of tokens."""
        m.submodules.records = records = DeepQueue(
            record_layout(self._config), words=TOKENS, target=self._target
        )
        m.submodules.token_loss = losses = TokenLoss(
            config=self._config, i=core.loss.payload.shape()
        )
        wiring.connect(m, rows.record, records.i)
        wiring.connect(m, records.o, losses.record)
        wiring.connect(m, core.loss, losses.i)
        wiring.connect(m, wiring.flipped(self.loss), losses.o)

    def _give_gradients(self, m: Module, core: CrossEntropy) -> None:
        """Gradients of rows whose words were told; the others are dropped."""
        row, out = core.o.payload.row, self.o.payload
        request = _request(self._config, row.id)
        dropped = request.predict if self._config.predicts else Const(0, 1)
        members = out.row.shape().members
        m.d.comb += [
            self.o.valid.eq(core.o.valid & ~dropped),
            core.o.ready.eq(self.o.ready | dropped),
            out.cluster.eq(request.cluster),
            out.p.eq(core.o.payload.p),
            out.tag.eq(core.o.payload.tag),
            out.last.eq(core.o.payload.last),
            *(out.row[name].eq(row[name]) for name in members if name != "id"),
        ]
        if self._config.id_width:
            m.d.comb += out.row.id.eq(row.id[: self._config.id_width])


def cluster_gradient_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of gradients, see :func:`output_layout`, and the cluster of its row."""
    beat = output_layout(config, config.loss_grad.width, FinishResiduals.flags)
    cluster = range(config.clusters.tails + 1)
    return data.StructLayout({**beat.members, "cluster": cluster})


def tagged(config: SoftmaxConfig) -> SoftmaxConfig:
    """The configuration of the core: what goes with a row is the request that it answers, too."""
    return config.replace(id_width=config.id_width + request_layout(config).size)


def _request(config: SoftmaxConfig, ident: Value) -> data.View:
    """The request that a row answers, from its id in the core."""
    return data.View(request_layout(config), ident[config.id_width :])


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration, to the gradient."""
    return cross_entropy.latency(tagged(config)) + RequestedRows.latency


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its outputs are blocked but for requests."""
    core = cross_entropy.capacity(tagged(config))
    return replace(core, beats=core.beats + 1)
