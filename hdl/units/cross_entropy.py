"""The cross-entropy unit: rows of logits and their targets in, gradients p - y and losses out."""

from dataclasses import replace

from amaranth.hdl import Module, Mux, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.loss import loss_stage
from ...golden.stages.residual import residual_stage
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
from .part_rows import PartRows
from .row_target import RowTarget, target_layout
from .whole_rows import WholeRows, known_of


class CrossEntropy(wiring.Component):
    """The twin of ``golden.units.cross_entropy`` for class indices.

    A complete row is joined with its target. The target's element is read from a memory of all
    codes, so that it is known before the row's first beat leaves whether the row has a loss. Where
    rows come twice, the beats of a second pass are each joined with it, see :class:`.PartRows`.

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
        self._rows = (PartRows if config.two_passes else WholeRows)(config, skew)
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
            *([last_pass.i.last.eq(path.o.last)] if self._config.two_passes else []),
            path.given.eq(last_pass.given),
        ]
        for waiting, element in zip(last_pass.i.elements, path.o.elements, strict=True):
            m.d.comb += [waiting[name].eq(element[name]) for name in finish.element.members]
        rows = self._complete_rows(m, path)
        pick = self._pick_targets(m, path, rows, last_pass.place)
        loss = self._finish_rows(m, rows, pick, last_pass, finish)
        m.d.comb += path.row_given.eq(self._rows.given(m, last_pass, loss.left))
        return m

    def _complete_rows(self, m: Module, path: Datapath) -> RowTarget:
        """Rows whose scalar has come, and their targets."""
        config, functions = self._config, self._functions
        m.submodules.row_scalar = scalar = RowScalar(functions, self._target)
        fields = {**functions.waited_for.members}
        if config.path.origin is None:
            fields["maximum"] = signed(config.input.width)
        wait = _wait(self._plan, functions)
        m.submodules.rows = rows = self._rows.row_target(
            {"stage": data.StructLayout(fields), "row": row_layout(config)}, wait, self._target
        )
        given = self._rows.given_to(m, path, rows, wait)
        wiring.connect(m, wiring.flipped(self.target), rows.target)
        m.d.comb += [
            rows.i_valid.eq(path.o_valid),
            rows.i_last.eq(path.o_last),
            *(given.stage[name].eq(scalar.o[name]) for name in functions.waited_for.members),
        ]
        tell_row(m, path, scalar, given.row)
        if config.path.origin is None:
            maximum = delay(m, path.maximum, functions.latency, name="maximum")
            m.d.comb += given.stage.maximum.eq(maximum)
        return rows

    def _pick_targets(self, m: Module, path: Datapath, rows: RowTarget, place: Value) -> Pick:
        """The target's element of every row; ``place`` is where the beat that comes in is kept."""
        config = self._config
        m.submodules.pick = pick = Pick(
            data.StructLayout({"x": signed(config.input.width), "active": 1, "present": 1}),
            lanes=config.lanes,
            depth=depth_of(config),
            longest=config.max_beats if config.two_passes else None,
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
            *self._rows.taken(rows, pick),
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
        wait = known_of(self._config)
        stage = delay(m, rows.o.stage, wait, name="stage")
        stage = data.View(rows.o.stage.shape(), stage)
        row, lanes = self._rows.judged(m, rows, pick)
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
            port.i_valid.eq(self._rows.complete(m, rows, known)),
            port.x.eq(self._rows.x(m, pick)),
            port.scalar.eq(stage),
            port.row.eq(row),
        ]
        return port


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


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration, to the gradient, the target being there."""
    plan, functions = _stages(config)
    notice = known_of(config) - RowBuffer.AHEAD + RowBuffer.NOTICE
    last_pass = notice + LastPass.latency_of(FinishResiduals.latency_of(config))
    return plan.latency + (_wait(plan, functions) + RowTarget.latency + last_pass)


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its outputs are blocked, targets enough."""
    plan, _ = _stages(config)
    words = LastPass.queue_words(FinishResiduals.latency_of(config))
    inside = Capacity.of(config, buffers=plan.buffers + 1, lead=Logits.latency, words=words)
    return replace(inside, rows=ROWS)  # a row counts until its loss has left too
