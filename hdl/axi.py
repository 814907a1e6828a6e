"""AXI4-Stream ports around the softmax unit, under AMBA's names."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.config import SoftmaxConfig
from .softmax import Softmax
from .target import GENERIC, Target

STATUS_BITS = 3
"""Status bits in the lowest places of the output's tuser: error, saturated, ignored."""


class SoftmaxAxi(wiring.Component):
    """A :class:`Softmax` with AXI4-Stream ports.

    One row is one frame of ``lanes`` elements a beat. An element sits in a container of whole
    bytes, sign- or zero-extended, lane 0 lowest. ``tkeep`` marks the bytes present and is all ones
    but on a row's last beat. Input ``tuser`` has one bit a lane: 1 leaves the element out, and its
    probability is 0. Output ``tuser`` is {clipped[lanes], status[3]}; a softmax row is in error or
    not, the two other status bits are 0. ``tid``, where there is one, is that of the row's last
    beat.

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
                    "s_axis", In, container=config.input.container, user=config.lanes, **ports
                ),
                **axi_stream(
                    "m_axis",
                    Out,
                    container=config.output.container,
                    user=STATUS_BITS + config.lanes,
                    **ports,
                ),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.domains.sync = ClockDomain(local=True)
        m.submodules.core = core = Softmax(config=config, target=self._target)
        i, o = core.i.payload, core.o.payload
        i_bits, o_bits = config.input.container, config.output.container
        # reset reaches many registers: it starts from one, and the ports heed it meanwhile
        m.domains.port = ClockDomain(local=True, reset_less=True)
        reset = Signal(init=1)
        m.d.port += reset.eq(~self.aresetn)
        m.d.comb += [
            ClockSignal().eq(self.aclk),
            ClockSignal("port").eq(self.aclk),
            ResetSignal().eq(reset),
            self.s_axis_tready.eq(core.i.ready & ~reset),
            core.i.valid.eq(self.s_axis_tvalid & ~reset),
            i.keep.eq(self.s_axis_tkeep),
            i.mask.eq(self.s_axis_tuser),
            i.last.eq(self.s_axis_tlast),
            self.m_axis_tvalid.eq(core.o.valid & ~reset),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tuser[0].eq(o.row.error),
            self.m_axis_tuser[STATUS_BITS:].eq(o.tag.clipped),
        ]
        for lane in range(config.lanes):
            element = self.s_axis_tdata.word_select(lane, i_bits)
            kept = o.tag.keep[lane].replicate(o_bits // 8)
            code = o.p[lane].as_signed() if config.output.signed else o.p[lane]
            extended = Signal(Shape(o_bits, config.output.signed), name=f"code{lane}")
            m.d.comb += [
                i.x[lane].eq(element[: config.input.width].as_signed()),
                extended.eq(code),
                self.m_axis_tdata.word_select(lane, o_bits).eq(extended),
                self.m_axis_tkeep.word_select(lane, o_bits // 8).eq(kept),
            ]
        if config.id_width:
            m.d.comb += [i.id.eq(self.s_axis_tid), self.m_axis_tid.eq(o.row.id)]
        return m


def axi_stream(
    prefix: str, flow: Any, *, lanes: int, container: int, user: int, ident: int
) -> dict[str, Any]:
    """Members of an AXI4-Stream port whose payload flows ``flow``; no ``tid`` of 0 bits."""
    back = In if flow is Out else Out
    return {
        f"{prefix}_tdata": flow(lanes * container),
        f"{prefix}_tkeep": flow(lanes * container // 8),
        f"{prefix}_tuser": flow(user),
        **({f"{prefix}_tid": flow(ident)} if ident else {}),
        f"{prefix}_tlast": flow(1),
        f"{prefix}_tvalid": flow(1),
        f"{prefix}_tready": back(1),
    }
