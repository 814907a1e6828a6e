"""The backward unit: rows of P and of dP in, rows of gradients dS = P (dP - D) out."""

from typing import Any, ClassVar

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.gradient import Gradient as GoldenGradient
from ...golden.units.softmax_backward import SEED_BITS, backward_stage
from ..flow.credits import Credits
from ..flow.inlet import Inlet
from ..parts.pipeline import delay, register
from ..ports.beats import id_field, output_layout
from ..ports.frame import Cut
from ..ports.join import Join
from ..stages.dither import Dither
from ..stages.dot import Dot
from ..stages.gradient import Gradient
from ..targets.generic import GENERIC, Target
from .last_pass import ROWS, LastPass, capacity_of
from .latency import Capacity, Latency

GO = 2
"""Cycles on the way from the credits of the row buffer to the inlets, which are far from it."""
LEAD = GO + Join.latency + Cut.latency
"""Cycles from credits to the beat that was allowed by them."""


class SoftmaxBackward(wiring.Component):
    """The twin of ``golden.backward``.

    P and dP are joined beat by beat. First pass: D of the row; its elements wait in the row buffer
    of the last pass, which multiplies them. Memory for one row of P and dP is all there is. The row
    buffer hands out credits, so that no pipeline stalls, and no cycle depends on a value.

    One beat per cycle, rows back to back; the latency does not depend on the row.

    Members:
        p, dp: rows, see :func:`p_layout` and :func:`dp_layout`.
        seed: of stochastic rounding; constant while rows are in flight.
        o: rows of gradients, see :func:`gradient_layout`.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        self._golden = backward_stage(config)
        super().__init__(
            {
                "p": In(stream.Signature(p_layout(config))),
                "dp": In(stream.Signature(dp_layout(config))),
                "seed": In(SEED_BITS),
                "o": Out(stream.Signature(gradient_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.join = join = Join(p=p_layout(config), dp=dp_layout(config))
        m.submodules.cut = cut = Cut(config=config, container=8)
        m.submodules.last_pass = last_pass = GradientPass(
            config=config, wait=_wait(config), target=self._target
        )
        m.submodules.beats = beats = Credits(places=LastPass.depth_of(config), lead=LEAD)
        m.submodules.rows = rows = Credits(places=ROWS, lead=LEAD)
        for name, port in (("p", self.p), ("dp", self.dp)):
            inlet = Inlet(port.payload.shape(), target=self._target)
            m.submodules[f"inlet_{name}"] = inlet
            wiring.connect(m, wiring.flipped(port), inlet.i)
            for lane, x in enumerate(port.payload.x):
                m.d.comb += inlet.i.payload.x[lane].eq(Mux(port.payload.present[lane], x, 0))
            m.d.comb += [
                getattr(join, name).eq(inlet.o),
                getattr(join, f"{name}_some").eq(inlet.some),
                getattr(join, f"{name}_last").eq(inlet.last),
                inlet.take.eq(getattr(join, f"{name}_take")),
            ]
        m.d.comb += [
            join.go.eq(delay(m, beats.available & rows.available, GO, name="go", reset=True)),
            cut.i_valid.eq(join.o_valid),
            cut.i_last.eq(join.o_last),
            *(cut.keep[lane].eq(join.p.present[lane]) for lane in range(config.lanes)),
            beats.take.eq(cut.o_valid),
            rows.take.eq(cut.o_last),
            beats.give.eq(last_pass.given),
            rows.give.eq(last_pass.row_given),
            last_pass.seed.eq(self.seed),
        ]
        wiring.connect(m, wiring.flipped(self.o), last_pass.o)
        self._first_pass(m, join, cut, last_pass)
        return m

    def _first_pass(self, m: Module, join: Join, cut: Cut, last_pass: "GradientPass") -> None:
        """D of the row, while the elements are written to the row buffer."""
        config, wait = self._config, _wait(self._config)
        m.submodules.dot = dot = Dot(
            golden=self._golden.dot,
            lanes=config.lanes,
            beats=config.max_beats,
            target=self._target,
        )
        # the factors come while the beat is still checked
        before = Cut.latency - Dot.AHEAD
        for lane in range(config.lanes):
            p = delay(m, join.p.x[lane], before, name=f"p{lane}")
            dp = delay(m, join.dp.x[lane], before, name=f"dp{lane}").as_signed()
            m.d.comb += [dot.p[lane].eq(p), dot.dp[lane].eq(dp)]
            if config.clip_gradient == "zero":
                clipped = delay(m, join.p.clipped[lane], before, name=f"clipped{lane}")
                p = Mux(clipped, 0, p)
            element = last_pass.i.elements[lane]
            m.d.comb += [
                element.p.eq(delay(m, p, Dot.AHEAD, name=f"waiting_p{lane}")),
                element.dp.eq(delay(m, dp, Dot.AHEAD, name=f"waiting_dp{lane}")),
            ]
        clipped = delay(m, join.p.clipped & join.p.present, Cut.latency, name="clipped")
        m.d.comb += [
            dot.i_valid.eq(cut.o_valid),
            dot.i_last.eq(cut.o_last),
            last_pass.i_valid.eq(cut.o_valid),
            last_pass.i_last.eq(cut.o_last),
            last_pass.i.tag.keep.eq(cut.o_keep),
            last_pass.i.tag.clipped.eq(clipped),
            last_pass.i_scalar.stage.d.eq(dot.o),
            last_pass.i_scalar.row.error.eq(
                delay(m, self._error(m, join, cut), wait, name="error")
            ),
            last_pass.i_scalar.row.saturated.eq(dot.saturated),
        ]
        if config.id_width:
            ident = delay(m, join.p.id, Cut.latency + wait, name="id")
            m.d.comb += last_pass.i_scalar.row.id.eq(ident)

    def _error(self, m: Module, join: Join, cut: Cut) -> Value:
        """On the last beat of a row: it is in error."""
        told = delay(m, join.p.error, Cut.latency, name="told")
        earlier = Signal()  # the row had a fault in an earlier beat
        fault = earlier | join.fault
        with m.If(cut.o_valid):
            m.d.sync += earlier.eq(fault & ~cut.o_last)
        return cut.error | fault | told


class GradientPass(LastPass):
    """The last pass: dS of every element, and whether any so far in the row was saturated.

    Members, besides those of :class:`LastPass`: seed: of stochastic rounding.
    """

    flags: ClassVar[tuple[str, ...]] = ("saturated",)

    def __init__(self, *, config: SoftmaxConfig, wait: int, target: Target):
        self._golden, self._target = backward_stage(config), target
        super().__init__(config=config, last=_Elements(self._golden), wait=wait, target=target)

    def _members(self) -> dict[str, Any]:
        return {"seed": In(SEED_BITS)}

    def elaborate(self, platform: object) -> Module:
        self._next_saturated = Signal(self._config.lanes)
        return super().elaborate(platform)

    def _finish(self, m: Module, out: data.View) -> None:
        beat, scalar = self._buffer.o, self._buffer.o_scalar
        bits = self._random_bits(m)
        for lane in range(self._config.lanes):
            m.submodules[f"lane{lane}"] = last = Gradient(golden=self._golden, target=self._target)
            m.d.comb += [
                last.p.eq(beat.elements[lane].p),
                last.dp.eq(beat.elements[lane].dp),
                last.d.eq(scalar.stage.d),
                last.active.eq(~scalar.row.error),
                last.bits.eq(bits[lane]),
                out.p[lane].eq(last.o),
                self._next_saturated[lane].eq(last.next_saturated),
            ]

    def _random_bits(self, m: Module) -> list[Value]:
        """For every lane, when :class:`Gradient` wants them; none where they are not used."""
        if self._golden.rounding == "nearest":
            return [Value.cast(0)] * self._config.lanes
        m.submodules.dither = dither = Dither(lanes=self._config.lanes, bits=self._golden.drop)
        m.d.comb += [
            dither.seed.eq(self.seed),
            dither.i_valid.eq(self._buffer.o_valid),
            dither.i_last.eq(self._buffer.o_valid & self._buffer.o_last),
        ]
        wait = Gradient.BITS_LATER - Dither.latency
        return [
            delay(m, dither.o[lane], wait, name=f"bits{lane}") for lane in range(self._config.lanes)
        ]

    def _row(self, m: Module) -> Value:
        latency = self._last.latency
        row = Signal(self._buffer.o_scalar.row.shape())
        valid = delay(m, self._buffer.o_valid, latency, name="row_valid", reset=True)
        last = delay(m, self._buffer.o_last, latency, name="row_last")
        told = self._buffer.o_scalar.row
        of_row = delay(m, told.saturated & ~told.error, latency, name="row_saturated")
        of_beat = register(m, self._next_saturated.any(), name="beat_saturated")
        earlier = Signal()  # an earlier beat of the row was saturated
        so_far = earlier | of_beat
        with m.If(valid):
            m.d.sync += earlier.eq(so_far & ~last)
        m.d.comb += [row.eq(super()._row(m)), row.saturated.eq(of_row | so_far)]
        return row


class _Elements:
    """What waits of an element for D, see :class:`LastStage`."""

    latency = Gradient.latency

    def __init__(self, golden: GoldenGradient):
        p, dp = golden.dot.p, golden.dot.dp
        self.element = data.StructLayout({"p": p.width, "dp": signed(dp.width)})
        self.scalar = data.StructLayout({"d": signed(golden.dot.output.width)})
        self.width = golden.output.width


def p_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of P: elements ``x``; ``present``: those there are, ``broken``: a container is present
    in part; ``clipped`` and ``error`` as the forward unit tells them."""
    more = {"clipped": config.lanes, "error": 1, **id_field(config)}
    return _input_layout(config, config.output.width, more)


def dp_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of dP; fields as in :func:`p_layout`."""
    return _input_layout(config, signed(config.grad_input.width), {})


def _input_layout(
    config: SoftmaxConfig, element: ShapeLike, more: dict[str, int]
) -> data.StructLayout:
    elements = data.ArrayLayout(element, config.lanes)
    return data.StructLayout(
        {"x": elements, "present": config.lanes, "broken": 1, **more, "last": 1}
    )


def gradient_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of gradients, see :func:`output_layout`."""
    return output_layout(config, config.grad_output.width, GradientPass.flags)


def _wait(config: SoftmaxConfig) -> int:
    """Cycles from a row's last beat to D."""
    return Dot.latency_of(config.lanes) - Dot.AHEAD


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration."""
    last_pass = LastPass.latency_of(_Elements(backward_stage(config)), _wait(config))
    return Latency(Inlet.NOTICE + Join.latency + Cut.latency + last_pass, 0)


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its output is blocked."""
    inside = capacity_of(config, buffers=1, lead=LEAD)
    return Capacity(
        inside.beats + Inlet.SKEW + Inlet.NOTICE,
        inside.least_beats + Inlet.SKEW,
        inside.rows + Inlet.SKEW + Inlet.NOTICE,
    )
