"""What the AXI4-Stream ports of every unit share: clock, reset, members, packing of elements."""

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
)
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.formats import Format
from ...golden.ports.status import STATUS, STATUS_BITS


def clock_and_reset(m: Module, ports: Any) -> Signal:
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


def connect_logits(m: Module, ports: Any, i: Any, config: SoftmaxConfig, reset: Signal) -> None:
    """Beats of logits from the port ``s_axis`` to a unit's input."""
    beat = i.payload
    m.d.comb += [
        ports.s_axis_tready.eq(i.ready & ~reset),
        i.valid.eq(ports.s_axis_tvalid & ~reset),
        beat.mask.eq(ports.s_axis_tuser),
        beat.last.eq(ports.s_axis_tlast),
    ]
    if config.two_passes:
        m.d.comb += beat.first.eq(ports.s_axis_tuser[config.lanes])
    unpack(m, beat, ports.s_axis_tdata, ports.s_axis_tkeep, config.input.container)
    m.d.comb += beat.broken.eq(broken_lanes(ports.s_axis_tkeep, config.input.container))
    if config.id_width:
        m.d.comb += beat.id.eq(ports.s_axis_tid)


def unpack(m: Module, beat: Any, tdata: Value, tkeep: Value, container: int) -> None:
    """Elements and which there are, from a port."""
    for lane, x in enumerate(beat.x):
        element = tdata.word_select(lane, container)
        m.d.comb += [
            x.eq(element[: len(Value.cast(x))]),
            beat.present[lane].eq(tkeep.word_select(lane, container // 8)[0]),
        ]


def broken_lanes(tkeep: Value, container: int) -> Value:
    """Elements of which only some bytes are there."""
    size = container // 8
    keeps = [tkeep.word_select(lane, size) for lane in range(len(tkeep) // size)]
    return Cat(keep.any() & ~keep.all() for keep in keeps)


def logits_user(config: SoftmaxConfig) -> int:
    """Width of the tuser that goes with logits: {first pass, mask[lanes]}."""
    return config.lanes + config.two_passes


def row_user(config: SoftmaxConfig) -> int:
    """Width of the tuser that goes with rows of results: {exponent, clipped[lanes], status[3]}."""
    return STATUS_BITS + config.lanes + config.exponent_bits


def tell_row(config: SoftmaxConfig, beat: Any, **status: Value) -> Value:
    """The tuser of a beat of results.

    Args:
        status: flags by name, see :data:`STATUS`; those that are not named are 0.
    """
    flags = Cat(status.get(name, Const(0, 1)) for name in STATUS)
    exponent = beat.row.exponent if config.has_exponent else Const(0, 0)
    return Cat(flags, beat.tag.clipped, exponent)


def pack(m: Module, beat: Any, tdata: Value, tkeep: Value, fmt: Format) -> None:
    """Results and which there are, to a port."""
    for lane, kept in enumerate(beat.tag.keep):
        code = beat.p[lane].as_signed() if fmt.signed else beat.p[lane]
        extended = Signal(Shape(fmt.container, fmt.signed), name=f"code{lane}")
        m.d.comb += [
            extended.eq(code),
            tdata.word_select(lane, fmt.container).eq(extended),
            tkeep.word_select(lane, fmt.container // 8).eq(kept.replicate(fmt.container // 8)),
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
