"""AXI4-Stream ports around the softmax unit."""

from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..targets.generic import GENERIC, Target
from ..units.softmax import Softmax
from .stream import (
    axi_stream,
    clock_and_reset,
    connect_logits,
    logits_user,
    pack,
    row_user,
    tell_row,
)


class SoftmaxAxi(wiring.Component):
    """A :class:`Softmax` with AXI4-Stream ports.

    One row is one frame of ``lanes`` elements a beat; where ``buffer_length`` is less than
    ``max_length``, two of a longer row. An element sits in a container of whole
    bytes, sign- or zero-extended, lane 0 lowest. ``tkeep`` marks the bytes present and is all ones
    but on a row's last beat. Input ``tuser`` has one bit a lane: 1 leaves the element out, and its
    probability is 0; the bit above marks a first pass, where rows come twice. Output
    ``tuser`` is {exponent, clipped[lanes], status[3]}, the exponent where rows have one; a softmax
    row is in error or not, the two other status bits are 0. ``tid``, where there is one, is that of
    the row's last beat, of a row that comes twice the first time.

    Nothing on one port depends on another port in the same cycle.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        ports = {"lanes": config.lanes, "ident": config.id_width}
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                **axi_stream(
                    "s_axis",
                    In,
                    container=config.input.container,
                    user=logits_user(config),
                    **ports,
                ),
                **axi_stream(
                    "m_axis",
                    Out,
                    container=config.output.container,
                    user=row_user(config),
                    **ports,
                ),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.domains.sync = ClockDomain(local=True)
        m.submodules.core = core = Softmax(config=config, target=self._target)
        o = core.o.payload
        reset = clock_and_reset(m, self)
        connect_logits(m, self, core.i, config, reset)
        m.d.comb += [
            self.m_axis_tvalid.eq(core.o.valid & ~reset),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tuser.eq(tell_row(config, o, error=o.row.error)),
        ]
        pack(m, o, self.m_axis_tdata, self.m_axis_tkeep, config.output)
        if config.id_width:
            m.d.comb += self.m_axis_tid.eq(o.row.id)
        return m
