"""AXI4-Stream ports around the units, under AMBA's names."""

from typing import Any

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    Module,
    ResetSignal,
    Shape,
    Signal,
    Value,
)  # fmt: skip
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..golden.config import SoftmaxConfig
from ..golden.formats import Format
from ..golden.units.softmax_backward import SEED_BITS
from .targets.generic import GENERIC, Target
from .units.cross_entropy import CrossEntropy
from .units.softmax import Softmax
from .units.softmax_backward import SoftmaxBackward

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
        reset = _clock_and_reset(m, self)
        m.d.comb += [
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


class SoftmaxBackwardAxi(wiring.Component):
    """A :class:`SoftmaxBackward` with AXI4-Stream ports.

    P comes in by ``s_axis_p`` as the softmax unit's output gives it, tuser included: the two ports
    connect directly. dP comes in by ``s_axis_dp``, without tuser and tid. The rows of both are
    joined in step; one can be :attr:`Inlet.SKEW` beats ahead of the other. ``seed`` is there where
    the rounding is stochastic, and constant while rows are in flight.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        lanes, ident, user = config.lanes, config.id_width, STATUS_BITS + config.lanes
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
        reset = _clock_and_reset(m, self)
        m.d.comb += [
            self.s_axis_p_tready.eq(core.p.ready & ~reset),
            core.p.valid.eq(self.s_axis_p_tvalid),
            p.clipped.eq(self.s_axis_p_tuser[STATUS_BITS:]),
            p.error.eq(self.s_axis_p_tuser[0]),
            p.last.eq(self.s_axis_p_tlast),
            self.s_axis_dp_tready.eq(core.dp.ready & ~reset),
            core.dp.valid.eq(self.s_axis_dp_tvalid),
            dp.last.eq(self.s_axis_dp_tlast),
            self.m_axis_tvalid.eq(core.o.valid & ~reset),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tuser.eq(Cat(o.row.error, o.row.saturated, Const(0, 1), o.tag.clipped)),
        ]
        _unpack(m, p, self.s_axis_p_tdata, self.s_axis_p_tkeep, config.output.container)
        _unpack(m, dp, self.s_axis_dp_tdata, self.s_axis_dp_tkeep, config.grad_input.container)
        _pack(m, o, self.m_axis_tdata, self.m_axis_tkeep, config.grad_output)
        if config.rounding == "stochastic":
            m.d.comb += core.seed.eq(self.seed)
        if config.id_width:
            m.d.comb += [p.id.eq(self.s_axis_p_tid), self.m_axis_tid.eq(o.row.id)]
        return m


class CrossEntropyAxi(wiring.Component):
    """A :class:`CrossEntropy` with AXI4-Stream ports.

    Logits come in by ``s_axis`` as those of the softmax unit do, and the class index of every row
    by ``s_axis_target``, one beat a row. An index outside the row is an ignored row: gradient and
    loss 0, status bit 2. An index of a masked element makes an error row. Gradients leave by
    ``m_axis``, losses by ``m_axis_loss``, one beat a row, whose tuser is the row's status.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        lanes, ident, user = config.lanes, config.id_width, STATUS_BITS + config.lanes
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
                    user=lanes,
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
        i, o, loss = core.i.payload, core.o.payload, core.loss.payload
        container = config.input.container
        reset = _clock_and_reset(m, self)
        m.d.comb += [
            self.s_axis_tready.eq(core.i.ready & ~reset),
            core.i.valid.eq(self.s_axis_tvalid & ~reset),
            i.keep.eq(self.s_axis_tkeep),
            i.mask.eq(self.s_axis_tuser),
            i.last.eq(self.s_axis_tlast),
            self.s_axis_target_tready.eq(core.target.ready & ~reset),
            core.target.valid.eq(self.s_axis_target_tvalid),
            core.target.payload.index.eq(self.s_axis_target_tdata),
            self.m_axis_tvalid.eq(core.o.valid & ~reset),
            core.o.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(o.last),
            self.m_axis_tuser.eq(Cat(o.row.error, Const(0, 1), o.row.ignored, o.tag.clipped)),
            self.m_axis_loss_tvalid.eq(core.loss.valid & ~reset),
            core.loss.ready.eq(self.m_axis_loss_tready),
            self.m_axis_loss_tdata.eq(loss.loss),
            self.m_axis_loss_tuser.eq(Cat(loss.row.error, Const(0, 1), loss.row.ignored)),
            self.m_axis_loss_tlast.eq(1),
        ]
        for lane in range(config.lanes):
            element = self.s_axis_tdata.word_select(lane, container)
            m.d.comb += i.x[lane].eq(element[: config.input.width].as_signed())
        _pack(m, o, self.m_axis_tdata, self.m_axis_tkeep, config.loss_grad)
        if config.id_width:
            m.d.comb += [
                i.id.eq(self.s_axis_tid),
                self.m_axis_tid.eq(o.row.id),
                self.m_axis_loss_tid.eq(loss.row.id),
            ]
        return m


def _clock_and_reset(m: Module, ports: Any) -> Signal:
    """Drive the domain of the unit; the reset that the ports must heed."""
    # reset reaches many registers: it starts from one, and the ports heed it meanwhile
    m.domains.port = ClockDomain(local=True, reset_less=True)
    reset = Signal(init=1)
    m.d.port += reset.eq(~ports.aresetn)
    m.d.comb += [
        ClockSignal().eq(ports.aclk),
        ClockSignal("port").eq(ports.aclk),
        ResetSignal().eq(reset),
    ]
    return reset


def _unpack(m: Module, beat: Any, tdata: Value, tkeep: Value, container: int) -> None:
    """Elements and what there is of them, from a port."""
    lanes = len(beat.present)
    keeps = [tkeep.word_select(lane, container // 8) for lane in range(lanes)]
    m.d.comb += [
        *(
            beat.x[lane].eq(tdata.word_select(lane, container)[: len(Value.cast(beat.x[lane]))])
            for lane in range(lanes)
        ),
        beat.present.eq(Cat(keep[0] for keep in keeps)),
        beat.broken.eq(Cat(keep.any() & ~keep.all() for keep in keeps).any()),
    ]


def _pack(m: Module, beat: Any, tdata: Value, tkeep: Value, held: Format) -> None:
    """Results and which there are, to a port."""
    for lane, kept in enumerate(beat.tag.keep):
        code = beat.p[lane].as_signed() if held.signed else beat.p[lane]
        extended = Signal(Shape(held.container, held.signed), name=f"code{lane}")
        m.d.comb += [
            extended.eq(code),
            tdata.word_select(lane, held.container).eq(extended),
            tkeep.word_select(lane, held.container // 8).eq(kept.replicate(held.container // 8)),
        ]


def axi_stream(
    prefix: str, flow: Any, *, lanes: int, container: int, user: int, ident: int
) -> dict[str, Any]:
    """Members of an AXI4-Stream port whose payload flows ``flow``; nothing of 0 bits."""
    back = In if flow is Out else Out
    return {
        f"{prefix}_tdata": flow(lanes * container),
        f"{prefix}_tkeep": flow(lanes * container // 8),
        **({f"{prefix}_tuser": flow(user)} if user else {}),
        **({f"{prefix}_tid": flow(ident)} if ident else {}),
        f"{prefix}_tlast": flow(1),
        f"{prefix}_tvalid": flow(1),
        f"{prefix}_tready": back(1),
    }
