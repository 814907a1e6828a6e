"""AXI4-Stream ports around the softmax unit, under AMBA's names."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.config import SoftmaxConfig
from ..golden.formats import Format
from .softmax import Softmax

STATUS_BITS = 3
"""Status bits in the lowest places of the output's tuser: error, saturated, ignored."""


def container_bits(number: Format) -> int:
    """Bits of the container that holds an element on a port: whole bytes."""
    return 8 * -(-number.width // 8)


class SoftmaxAxi(wiring.Component):
    """A :class:`Softmax` with AXI4-Stream ports.

    One row is one frame of ``lanes`` elements a beat. An element sits in a container of whole
    bytes, sign- or zero-extended, lane 0 lowest. ``tkeep`` marks the bytes present and is all ones
    but on a row's last beat. Input ``tuser`` has one bit a lane: 1 leaves the element out, and its
    probability is 0. Output ``tuser`` is {clipped[lanes], status[3]}.

    Nothing on one port depends on another port in the same cycle.
    """

    def __init__(self, *, config: SoftmaxConfig):
        self._config = config
        lanes = config.lanes
        i_bits, o_bits = container_bits(config.input), container_bits(config.output)
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                **axi_stream("s_axis", In, lanes=lanes, container=i_bits, user=lanes),
                **axi_stream("m_axis", Out, lanes=lanes, container=o_bits, user=user_bits(lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.domains.sync = ClockDomain(local=True)
        m.submodules.core = core = Softmax(config=config)
        i, o = core.i.payload, core.o.payload
        i_bits, o_bits = container_bits(config.input), container_bits(config.output)
        m.d.comb += [
            ClockSignal().eq(self.aclk),
            ResetSignal().eq(~self.aresetn),
            self.s_axis_tready.eq(core.i.ready),
            core.i.valid.eq(self.s_axis_tvalid),
            i.last.eq(self.s_axis_tlast),
            i.mask.eq(self.s_axis_tuser),
            self.m_axis_tvalid.eq(core.o.valid),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tuser[STATUS_BITS:].eq(o.clipped),
        ]
        for lane in range(config.lanes):
            element = self.s_axis_tdata.word_select(lane, i_bits)
            m.d.comb += [
                i.x[lane].eq(element[: config.input.width].as_signed()),
                i.keep[lane].eq(self.s_axis_tkeep[lane * i_bits // 8]),
                self.m_axis_tdata.word_select(lane, o_bits).eq(o.p[lane]),
                self.m_axis_tkeep.word_select(lane, o_bits // 8).eq(
                    o.keep[lane].replicate(o_bits // 8)
                ),
            ]
        return m


def user_bits(lanes: int) -> int:
    """Width of the output's tuser."""
    return STATUS_BITS + lanes


def axi_stream(prefix: str, flow: type, *, lanes: int, container: int, user: int) -> dict:
    """Members of an AXI4-Stream port whose payload flows ``flow``."""
    back = In if flow is Out else Out
    return {
        f"{prefix}_tdata": flow(lanes * container),
        f"{prefix}_tkeep": flow(lanes * container // 8),
        f"{prefix}_tuser": flow(user),
        f"{prefix}_tlast": flow(1),
        f"{prefix}_tvalid": flow(1),
        f"{prefix}_tready": back(1),
    }
