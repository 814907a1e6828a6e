"""The cross-entropy unit: rows of logits and their targets in, gradients p - y and losses out."""

from dataclasses import replace

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.loss import loss_stage
from ...golden.stages.residual import residual_stage
from ..flow.both_left import BothLeft
from ..flow.inlet import Inlet
from ..flow.pick import Pick
from ..flow.row_buffer import RowBuffer
from ..parts.pipeline import delay, register
from ..ports.beats import input_layout, output_layout, row_layout
from ..stages.loss import ln_offset
from ..stages.row_scalar import RowScalar, SumFunctions
from ..targets.generic import GENERIC, Target
from .capacity import ROWS, Capacity, depth_of
from .datapath import Datapath, DatapathPlan, tell_row
from .datapaths import datapath_of
from .finish_residuals import FinishResiduals
from .last_pass import LastPass
from .latency import Latency
from .logits import Logits
from .loss_port import LossPort, loss_layout
from .row_target import RowTarget, target_layout


class CrossEntropy(wiring.Component):
    """The twin of ``golden.units.cross_entropy`` for class indices.

    A complete row is joined with its target. The target's element is read from a memory of all
    codes, so that it is known before the row's first beat leaves whether the row has a loss.

    Args:
        skew: targets that come before their rows, at least.

    Members:
        i: rows of logits, see :func:`input_layout`.
        target: the class index of every row; rows are accepted before their targets come.
        o: rows of gradients, see :func:`gradient_layout`.
        loss: the loss of every row, see :func:`loss_layout`. Neither output waits for the other,
            as long as fewer rows than ``ROWS`` are in flight.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC, skew: int = Inlet.SKEW):
        self._config, self._target, self._skew = config, target, skew
        self._plan, self._functions = _stages(config)
        super().__init__(
            {
                "i": In(stream.Signature(input_layout(config))),
                "target": In(stream.Signature(target_layout())),
                "o": Out(stream.Signature(gradient_layout(config))),
                "loss": Out(stream.Signature(loss_layout(config, FinishResiduals.flags))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.datapath = path = self._plan.component(self._target)
        places = 1 << (depth_of(self._config) - 1).bit_length()  # as of the memory of codes
        finish = FinishResiduals(
            config=self._config,
            exp=self._plan.contents,
            q_bits=self._functions.q_bits,
            places=places,
            target=self._target,
        )
        m.submodules.last_pass = last_pass = LastPass(
            config=self._config, finish=finish, depth=places, target=self._target
        )
        wiring.connect(m, wiring.flipped(self.i), path.i)
        wiring.connect(m, wiring.flipped(self.o), last_pass.o)
        m.d.comb += [
            last_pass.i_valid.eq(path.o_valid),
            last_pass.i_last.eq(path.o_last),
            last_pass.i.tag.eq(path.o.tag),
            path.given.eq(last_pass.given),
        ]
        for waiting, element in zip(last_pass.i.elements, path.o.elements, strict=True):
            m.d.comb += [waiting[name].eq(element[name]) for name in finish.element.members]
        rows = self._complete_rows(m, path)
        pick = self._pick_targets(m, path, rows, last_pass.place)
        loss = self._finish_rows(m, rows, pick, last_pass, finish)
        m.submodules.both_left = left = BothLeft(rows=ROWS)
        m.d.comb += [
            left.a.eq(last_pass.row_given),
            left.b.eq(loss.left),
            path.row_given.eq(left.o),
        ]
        return m

    def _complete_rows(self, m: Module, path: Datapath) -> RowTarget:
        """Rows whose scalar has come, and their targets."""
        config, functions = self._config, self._functions
        m.submodules.row_scalar = scalar = RowScalar(functions, self._target)
        fields = {**functions.waited_for.members}
        if config.path.origin is None:
            fields["maximum"] = signed(config.input.width)
        m.submodules.rows = rows = RowTarget(
            scalar=data.StructLayout(
                {"stage": data.StructLayout(fields), "row": row_layout(config)}
            ),
            wait=_wait(self._plan, functions),
            depth=depth_of(config),
            skew=self._skew,
            target=self._target,
        )
        wiring.connect(m, wiring.flipped(self.target), rows.target)
        m.d.comb += [
            rows.i_valid.eq(path.o_valid),
            rows.i_last.eq(path.o_last),
            *(rows.i.stage[name].eq(scalar.o[name]) for name in functions.waited_for.members),
        ]
        tell_row(m, path, scalar, rows.i.row)
        if config.path.origin is None:
            maximum = delay(m, path.maximum, functions.latency, name="maximum")
            m.d.comb += rows.i.stage.maximum.eq(maximum)
        return rows

    def _pick_targets(self, m: Module, path: Datapath, rows: RowTarget, place: Value) -> Pick:
        """The target's element of every row; ``place`` is where the beat that comes in is kept."""
        config = self._config
        m.submodules.pick = pick = Pick(
            data.StructLayout({"x": signed(config.input.width), "active": 1, "present": 1}),
            lanes=config.lanes,
            depth=depth_of(config),
            target=self._target,
        )
        of_lanes = zip(pick.i, path.o.elements, path.o.tag.keep, strict=True)
        for kept, element, present in of_lanes:
            m.d.comb += [
                kept.x.eq(element.x),
                kept.active.eq(element.active),
                kept.present.eq(present),
            ]
        m.d.comb += [
            pick.i_valid.eq(path.o_valid),
            pick.i_place.eq(place),
            pick.take.eq(rows.valid),
            pick.index.eq(rows.index),
            pick.beats.eq(rows.beats),
        ]
        return pick

    def _finish_rows(
        self,
        m: Module,
        rows: RowTarget,
        pick: Pick,
        last_pass: LastPass,
        finish: FinishResiduals,
    ) -> LossPort:
        """Let a row leave, and tell its loss."""
        wait = _known(self._config)
        stage = delay(m, rows.o.stage, wait, name="stage")
        stage = data.View(rows.o.stage.shape(), stage)
        row, lanes = self._judged(m, rows, pick)
        known = delay(m, rows.valid, wait, name="known", reset=True)
        # a row starts to leave before its scalar is needed
        beats = Mux(rows.valid, rows.beats, 0)
        beats = delay(m, beats, wait - RowBuffer.AHEAD, name="leaving", reset=True)
        place = delay(m, last_pass.reading_place, RowBuffer.latency, name="place")
        m.submodules.loss_port = port = LossPort(
            config=self._config,
            scalar=stage.shape(),
            flags=FinishResiduals.flags,
            target=self._target,
        )
        wiring.connect(m, wiring.flipped(self.loss), port.loss)
        m.d.comb += [
            last_pass.beats.eq(beats),
            last_pass.complete.eq(known),
            last_pass.i_scalar.stage.r.eq(stage.r),
            last_pass.i_scalar.stage.q.eq(stage.q),
            last_pass.i_scalar.stage.place.eq(register(m, pick.place, name="target_place")),
            last_pass.i_scalar.stage.lanes.eq(lanes),
            last_pass.i_scalar.row.eq(row),
            finish.i_place.eq(place),
            port.i_valid.eq(known),
            port.x.eq(register(m, pick.o.x, name="x")),
            port.scalar.eq(stage),
            port.row.eq(row),
        ]
        return port

    def _judged(self, m: Module, rows: RowTarget, pick: Pick) -> tuple[data.View, Value]:
        """The status of the row, and the lane of its target, if it has a loss."""
        config = self._config
        row = delay(m, rows.o.row, _known(config) - 1, name="row")
        row = data.View(rows.o.row.shape(), row)
        missing = pick.outside | ~pick.o.present
        error, ignored = row.error | (~missing & ~pick.o.active), missing & ~row.error
        flags = Signal(row_layout(config, FinishResiduals.flags))
        lanes = Signal(config.lanes)
        m.d.sync += [
            flags.error.eq(error),
            flags.ignored.eq(ignored),
            *((flags.id.eq(row.id),) if config.id_width else ()),
            *((flags.exponent.eq(Mux(error, 0, row.exponent)),) if config.has_exponent else ()),
            lanes.eq(Mux(error | ignored, 0, 1 << pick.lane)),
        ]
        return flags, lanes


def gradient_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of gradients, see :func:`output_layout`."""
    return output_layout(config, config.loss_grad.width, FinishResiduals.flags)


def _stages(config: SoftmaxConfig) -> tuple[DatapathPlan, SumFunctions]:
    """The datapath of a configuration, and what is made of a row's sum."""
    loss = loss_stage(config)
    functions = SumFunctions.of(
        config,
        reciprocal=residual_stage(config).reciprocal,
        ln=loss.log.ln,
        ln_offset=ln_offset(loss, config.path.origin),
    )
    return datapath_of(config, (*FinishResiduals.fields, "x")), functions


def _wait(plan: DatapathPlan, functions: SumFunctions) -> int:
    """Cycles from a row's last beat of elements to its scalar."""
    return plan.sum_latency + functions.latency


def _known(config: SoftmaxConfig) -> int:
    """Cycles from row and target to what is known of the target's element."""
    return Pick.latency_of(config.lanes) + 1


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration, to the gradient, the target being there."""
    plan, functions = _stages(config)
    notice = _known(config) - RowBuffer.AHEAD + RowBuffer.NOTICE
    last_pass = notice + LastPass.latency_of(FinishResiduals.latency_of(config))
    return plan.latency + (_wait(plan, functions) + RowTarget.latency + last_pass)


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its outputs are blocked, targets enough."""
    plan, _ = _stages(config)
    words = LastPass.queue_words(FinishResiduals.latency_of(config))
    inside = Capacity.of(config, buffers=plan.buffers + 1, lead=Logits.latency, words=words)
    return replace(inside, rows=ROWS)  # a row counts until its loss has left too
