"""AXI4-Stream ports around the adaptive softmax."""

from amaranth.hdl import Cat, ClockDomain, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.ports.status import STATUS_BITS
from ...golden.proofs.adaptive import MAX_CLUSTERS
from ..parts.choice import chosen
from ..stages.locate import WORD_BITS
from ..targets.generic import GENERIC, Target
from ..units.adaptive_softmax import AdaptiveSoftmax
from .stream import axi_stream, clock_and_reset, connect_logits, pack, row_user, tell_row

CLUSTER_BITS = (MAX_CLUSTERS - 1).bit_length()
"""Width of tdest, which is a cluster."""


class AdaptiveSoftmaxAxi(wiring.Component):
    """An :class:`AdaptiveSoftmax` with AXI4-Stream ports.

    The word of every token comes in by ``s_axis_target``, a beat a token; where a unit predicts
    words, tuser is 1 if the word is to be predicted instead. A word outside the vocabulary is a
    token without rows: its loss is 0, status bit 2. The rows that are needed are asked for by
    ``m_axis_request``: tdest is the cluster, tdata the elements of its row. These rows come by
    ``s_axis`` as those of the softmax unit do, in that order; ``s_axis_tready`` is 0 where none is
    asked for. A row of another length is an error row. Gradients leave by ``m_axis``, whose tdest
    is the cluster, and losses by ``m_axis_loss``, a beat a token, whose tuser is its status and,
    where a unit predicts words, above that its word.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        lanes, ident, user = config.lanes, config.id_width, row_user(config)
        logit, grad = config.input.container, config.loss_grad.container
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_target_tdata": In(WORD_BITS),
                **({"s_axis_target_tuser": In(1)} if config.predicts else {}),
                "s_axis_target_tvalid": In(1),
                "s_axis_target_tready": Out(1),
                "m_axis_request_tdata": Out(WORD_BITS),
                "m_axis_request_tdest": Out(CLUSTER_BITS),
                "m_axis_request_tvalid": Out(1),
                "m_axis_request_tready": In(1),
                **axi_stream("s_axis", In, lanes=lanes, container=logit, user=lanes, ident=ident),
                **axi_stream("m_axis", Out, lanes=lanes, container=grad, user=user, ident=ident),
                "m_axis_tdest": Out(CLUSTER_BITS),
                "m_axis_loss_tdata": Out(config.adaptive_loss.container),
                "m_axis_loss_tuser": Out(STATUS_BITS + WORD_BITS * config.predicts),
                **({"m_axis_loss_tid": Out(ident)} if ident else {}),
                "m_axis_loss_tlast": Out(1),
                "m_axis_loss_tvalid": Out(1),
                "m_axis_loss_tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.domains.sync = ClockDomain(local=True)
        m.submodules.core = core = AdaptiveSoftmax(config=config, target=self._target)
        o, loss, request = core.o.payload, core.loss.payload, core.request.payload
        word = (loss.word,) if config.predicts else ()
        reset = clock_and_reset(m, self)
        connect_logits(m, self, core.i, config, reset)
        m.d.comb += [
            self.s_axis_target_tready.eq(core.word.ready & ~reset),
            core.word.valid.eq(self.s_axis_target_tvalid),
            core.word.payload.word.eq(self.s_axis_target_tdata),
            self.m_axis_request_tvalid.eq(core.request.valid & ~reset),
            core.request.ready.eq(self.m_axis_request_tready),
            self.m_axis_request_tdata.eq(chosen(config.clusters.lengths, request.cluster)),
            self.m_axis_request_tdest.eq(request.cluster),
            self.m_axis_tvalid.eq(core.o.valid & ~reset),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tdest.eq(o.cluster),
            self.m_axis_tuser.eq(tell_row(config, o, error=o.row.error, ignored=o.row.ignored)),
            self.m_axis_loss_tvalid.eq(core.loss.valid & ~reset),
            core.loss.ready.eq(self.m_axis_loss_tready),
            self.m_axis_loss_tdata.eq(loss.loss),
            self.m_axis_loss_tuser.eq(Cat(loss.row.error, Const(0, 1), loss.row.ignored, *word)),
            self.m_axis_loss_tlast.eq(1),
        ]
        if config.predicts:
            m.d.comb += core.word.payload.predict.eq(self.s_axis_target_tuser)
        pack(m, o, self.m_axis_tdata, self.m_axis_tkeep, config.loss_grad)
        if config.id_width:
            m.d.comb += [
                self.m_axis_tid.eq(o.row.id),
                self.m_axis_loss_tid.eq(loss.row.id),
            ]
        return m
