"""The backward unit: rows of P and of dP in, rows of gradients dS = P (dP - D) out."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.units.softmax_backward import SEED_BITS, backward_stage
from ..flow.credits import Credits
from ..flow.inlet import Inlet
from ..flow.row_wait import RowWait
from ..parts.pipeline import delay
from ..ports.beats import exponent_field, id_field, output_layout
from ..ports.frame import Frame
from ..ports.join import Join
from ..stages.dot import Dot
from ..targets.generic import GENERIC, Target
from .capacity import ROWS, Capacity, depth_of
from .finish_gradients import FinishGradients
from .last_pass import LastPass
from .latency import Latency

GO = 2
"""Cycles on the way from the credits of the row buffer to the inlets, which are far from it."""
LEAD = GO + Join.latency + Frame.latency
"""Cycles from credits to the beat that was allowed by them."""


class SoftmaxBackward(wiring.Component):
    """The twin of ``golden.units.softmax_backward``.

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
        self._config, self._target = config.replace(buffer_length=None), target
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
        m.submodules.frame = frame = Frame(config=config)
        m.submodules.row_wait = row_wait = RowWait(wait=_wait(config), depth=depth_of(config))
        finish = FinishGradients(config=config, target=self._target)
        m.submodules.last_pass = last_pass = LastPass(
            config=config, finish=finish, depth=depth_of(config), target=self._target
        )
        m.submodules.beats = beats = Credits(places=depth_of(config), lead=LEAD)
        m.submodules.rows = rows = Credits(places=ROWS, lead=LEAD)
        join = self._joined(m)
        m.d.comb += [
            join.go.eq(delay(m, beats.available & rows.available, GO, name="go", reset=True)),
            frame.i_valid.eq(join.o_valid),
            frame.i_last.eq(join.o_last),
            frame.present.eq(join.p.present),  # a broken pair is the join's to tell
            beats.take.eq(frame.o_valid),
            rows.take.eq(frame.o_last),
            beats.give.eq(last_pass.given),
            rows.give.eq(last_pass.row_given),
            row_wait.i_valid.eq(frame.o_valid),
            row_wait.i_last.eq(frame.o_last),
            last_pass.beats.eq(row_wait.beats),
            last_pass.complete.eq(row_wait.complete),
            finish.seed.eq(self.seed),
        ]
        wiring.connect(m, wiring.flipped(self.o), last_pass.o)
        dot = self._give_elements(m, join, frame, last_pass)
        self._give_row(m, join, frame, last_pass.i_scalar, dot)
        return m

    def _joined(self, m: Module) -> Join:
        """Both inputs, each behind an inlet of its own."""
        p, dp = p_layout(self._config), dp_layout(self._config)
        m.submodules.join = join = Join(p=p, dp=dp)
        for name, port in (("p", self.p), ("dp", self.dp)):
            inlet = Inlet(port.payload.shape(), target=self._target)
            m.submodules[f"inlet_{name}"] = inlet
            wiring.connect(m, wiring.flipped(port), inlet.i)
            for lane, x in enumerate(port.payload.x):
                m.d.comb += inlet.i.payload.x[lane].eq(Mux(port.payload.present[lane], x, 0))
            m.d.comb += [
                getattr(join, name).eq(inlet.o),
                getattr(join, f"{name}_valid").eq(inlet.valid),
                getattr(join, f"{name}_last").eq(inlet.last),
                inlet.consume.eq(getattr(join, f"{name}_consume")),
            ]
        return join

    def _give_elements(self, m: Module, join: Join, frame: Frame, last_pass: LastPass) -> Dot:
        """P and dP to the sum, and to the row buffer."""
        config = self._config
        m.submodules.dot = dot = Dot(
            golden=backward_stage(config).dot,
            lanes=config.lanes,
            beats=config.max_beats,
            exponent_bits=config.exponent_bits,
            target=self._target,
        )
        # the factors come while the beat is still checked
        before = Frame.latency - Dot.AHEAD
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
        clipped = delay(m, join.p.clipped & join.p.present, Frame.latency, name="clipped")
        m.d.comb += [
            dot.i_valid.eq(frame.o_valid),
            dot.i_last.eq(frame.o_last),
            last_pass.i_valid.eq(frame.o_valid),
            last_pass.i_last.eq(frame.o_last),
            last_pass.i.tag.keep.eq(frame.o_present),
            last_pass.i.tag.clipped.eq(clipped),
        ]
        return dot

    def _give_row(self, m: Module, join: Join, frame: Frame, scalar: data.View, dot: Dot) -> None:
        """D of the row, and its status."""
        wait, error = _wait(self._config), self._error(m, join, frame)
        m.d.comb += [
            scalar.stage.d.eq(dot.o),
            scalar.row.error.eq(delay(m, error, wait, name="error")),
            scalar.row.saturated.eq(dot.saturated),
        ]
        if self._config.id_width:
            ident = delay(m, join.p.id, Frame.latency + wait, name="id")
            m.d.comb += scalar.row.id.eq(ident)
        if self._config.has_exponent:
            exponent = delay(m, join.p.exponent, Frame.latency, name="exponent")
            kept = Mux(error, 0, exponent)
            m.d.comb += [
                dot.exponent.eq(exponent),
                scalar.row.exponent.eq(delay(m, kept, wait, name="row_exponent")),
            ]

    def _error(self, m: Module, join: Join, frame: Frame) -> Value:
        """On the last beat of a row: it is in error."""
        forward = delay(m, join.p.error, Frame.latency, name="forward_error")
        earlier = Signal()  # the row had a fault in an earlier beat
        fault = earlier | join.fault
        with m.If(frame.o_valid):
            m.d.sync += earlier.eq(fault & ~frame.o_last)
        return frame.error | fault | forward


def p_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of P: elements ``x``; ``present``: those there are, ``broken``: of one of them, only
    some bytes are there; ``clipped``, ``error`` and ``exponent`` as the forward unit tells them."""
    more = {"clipped": config.lanes, "error": 1, **id_field(config), **exponent_field(config)}
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
    return output_layout(config, config.grad_output.width, FinishGradients.flags)


def _wait(config: SoftmaxConfig) -> int:
    """Cycles from a row's last beat to D."""
    return Dot.latency_of(config.lanes, config.exponent_bits) - Dot.AHEAD


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration."""
    first_pass = Inlet.NOTICE + Join.latency + Frame.latency
    last_pass = RowWait.notice_of(_wait(config)) + LastPass.latency_of(FinishGradients.latency)
    return Latency(first_pass + last_pass, 0)


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its output is blocked."""
    inside = Capacity.of(config.replace(buffer_length=None), buffers=1, lead=LEAD)
    return Capacity(
        inside.beats + Inlet.SKEW + Inlet.NOTICE,
        inside.least_beats + Inlet.SKEW,
        inside.rows + Inlet.SKEW + Inlet.NOTICE,
    )
