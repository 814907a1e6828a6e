"""AXI4-Stream ports around the cross-entropy unit."""

from amaranth.hdl import Cat, ClockDomain, Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.ports.status import STATUS_BITS
from ..targets.generic import GENERIC, Target
from ..units.cross_entropy import CrossEntropy
from .stream import (
    axi_stream,
    clock_and_reset,
    connect_logits,
    logits_user,
    pack,
    row_user,
    tell_row,
)


class CrossEntropyAxi(wiring.Component):
    """A :class:`CrossEntropy` with AXI4-Stream ports.

    Logits come in by ``s_axis`` as those of the softmax unit do, and the class index of every row
    by ``s_axis_target``, one beat a row. An index outside the row is an ignored row: gradient and
    loss 0, status bit 2. An index of a masked element makes an error row. Gradients leave by
    ``m_axis``, losses by ``m_axis_loss``, one beat a row, whose tuser is the row's status.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        lanes, ident, user = config.lanes, config.id_width, row_user(config)
        grad, loss = config.loss_grad.container, config.loss.container
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                **axi_stream(
                    "s_axis",
                    In,
                    lanes=lanes,
                    container=config.input.container,
                    user=logits_user(config),
                    ident=ident,
                ),
                "s_axis_target_tdata": In(32),
                "s_axis_target_tvalid": In(1),
                "s_axis_target_tready": Out(1),
                **axi_stream("m_axis", Out, lanes=lanes, container=grad, user=user, ident=ident),
                "m_axis_loss_tdata": Out(loss),
                "m_axis_loss_tuser": Out(STATUS_BITS),
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
        m.submodules.core = core = CrossEntropy(config=config, target=self._target)
        o, loss = core.o.payload, core.loss.payload
        reset = clock_and_reset(m, self)
        connect_logits(m, self, core.i, config, reset)
        m.d.comb += [
            self.s_axis_target_tready.eq(core.target.ready & ~reset),
            core.target.valid.eq(self.s_axis_target_tvalid),
            core.target.payload.index.eq(self.s_axis_target_tdata),
            self.m_axis_tvalid.eq(core.o.valid & ~reset),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tuser.eq(tell_row(config, o, error=o.row.error, ignored=o.row.ignored)),
            self.m_axis_loss_tvalid.eq(core.loss.valid & ~reset),
            core.loss.ready.eq(self.m_axis_loss_tready),
            self.m_axis_loss_tdata.eq(loss.loss),
            self.m_axis_loss_tuser.eq(Cat(loss.row.error, Const(0, 1), loss.row.ignored)),
            self.m_axis_loss_tlast.eq(1),
        ]
        pack(m, o, self.m_axis_tdata, self.m_axis_tkeep, config.loss_grad)
        if config.id_width:
            m.d.comb += [
                self.m_axis_tid.eq(o.row.id),
                self.m_axis_loss_tid.eq(loss.row.id),
            ]
        return m
