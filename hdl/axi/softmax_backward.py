"""AXI4-Stream ports around the backward unit."""

from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.ports.status import STATUS_BITS
from ...golden.units.softmax_backward import SEED_BITS
from ..targets.generic import GENERIC, Target
from ..units.softmax_backward import SoftmaxBackward
from .stream import axi_stream, broken_lanes, clock_and_reset, pack, row_user, tell_row, unpack


class SoftmaxBackwardAxi(wiring.Component):
    """A :class:`SoftmaxBackward` with AXI4-Stream ports.

    P comes in by ``s_axis_p`` as the softmax unit's output gives it, tuser included: the two ports
    connect directly. dP comes in by ``s_axis_dp``, without tuser and tid. The rows of both are
    joined in step; one can be :attr:`Inlet.SKEW` beats ahead of the other. ``seed`` is there where
    the rounding is stochastic, and constant while rows are in flight.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        lanes, ident, user = config.lanes, config.id_width, row_user(config)
        bits, dp, out = (
            kind.container for kind in (config.output, config.grad_input, config.grad_output)
        )
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                **({"seed": In(SEED_BITS)} if config.rounding == "stochastic" else {}),
                **axi_stream("s_axis_p", In, lanes=lanes, container=bits, user=user, ident=ident),
                **axi_stream("s_axis_dp", In, lanes=lanes, container=dp, user=0, ident=0),
                **axi_stream("m_axis", Out, lanes=lanes, container=out, user=user, ident=ident),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.domains.sync = ClockDomain(local=True)
        m.submodules.core = core = SoftmaxBackward(config=config, target=self._target)
        p, dp, o = core.p.payload, core.dp.payload, core.o.payload
        reset = clock_and_reset(m, self)
        m.d.comb += [
            self.s_axis_p_tready.eq(core.p.ready & ~reset),
            core.p.valid.eq(self.s_axis_p_tvalid),
            p.clipped.eq(self.s_axis_p_tuser[STATUS_BITS:][: config.lanes]),
            p.error.eq(self.s_axis_p_tuser[0]),
            p.last.eq(self.s_axis_p_tlast),
            self.s_axis_dp_tready.eq(core.dp.ready & ~reset),
            core.dp.valid.eq(self.s_axis_dp_tvalid),
            dp.last.eq(self.s_axis_dp_tlast),
            self.m_axis_tvalid.eq(core.o.valid & ~reset),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tuser.eq(tell_row(config, o, error=o.row.error, saturated=o.row.saturated)),
        ]
        for beat, tdata, tkeep, container in (
            (p, self.s_axis_p_tdata, self.s_axis_p_tkeep, config.output.container),
            (dp, self.s_axis_dp_tdata, self.s_axis_dp_tkeep, config.grad_input.container),
        ):
            unpack(m, beat, tdata, tkeep, container)
            m.d.comb += beat.broken.eq(broken_lanes(tkeep, container).any())
        pack(m, o, self.m_axis_tdata, self.m_axis_tkeep, config.grad_output)
        if config.rounding == "stochastic":
            m.d.comb += core.seed.eq(self.seed)
        if config.has_exponent:
            m.d.comb += p.exponent.eq(self.s_axis_p_tuser[STATUS_BITS + config.lanes :])
        if config.id_width:
            m.d.comb += [p.id.eq(self.s_axis_p_tid), self.m_axis_tid.eq(o.row.id)]
        return m
