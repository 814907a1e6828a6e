"""The cross-entropy unit: rows of logits and their targets in, gradients p - y and losses out."""

from dataclasses import replace
from typing import Any, ClassVar

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.loss import loss_stage
from ...golden.stages.residual import residual_stage
from ..flow.backlog import Backlog
from ..flow.credits import Credits
from ..flow.inlet import Inlet
from ..flow.pick import Pick
from ..flow.queue import Queue
from ..flow.row_buffer import RowBuffer
from ..parts.pipeline import delay, register
from ..ports.beats import input_layout, output_layout, row_layout, tag_layout
from ..ports.frame import Frame
from ..stages.difference import Difference
from ..stages.exp import Contents
from ..stages.loss import Loss
from ..stages.residual import Residuals
from ..targets.generic import GENERIC, Target
from .last_pass import ROWS, LastPass, capacity_of
from .latency import Capacity, Latency
from .softmax import DATAPATHS

FLAGS = ("ignored",)


class CrossEntropy(wiring.Component):
    """The twin of ``golden.cross_entropy`` for class indices.

    The datapath of the softmax unit with another last pass.

    Members:
        i: rows of logits, see :func:`input_layout`.
        target: the class index of every row; rows are accepted before their targets come.
        o: rows of gradients, see :func:`gradient_layout`.
        loss: the loss of every row, see :func:`loss_layout`. Neither output waits for the other,
            as long as fewer rows than ``ROWS`` are in flight.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        datapath, _ = DATAPATHS[config.datapath]
        self._datapath = datapath(config=config, target=target, ending=LOSS_AND_GRADIENT)
        super().__init__(
            {
                "i": In(stream.Signature(input_layout(config))),
                "target": In(stream.Signature(target_layout())),
                "o": Out(stream.Signature(gradient_layout(config))),
                "loss": Out(stream.Signature(loss_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.datapath = self._datapath
        for name in ("i", *CrossEntropyPass.ports):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(self._datapath, name))
        return m


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration, to the gradient, the target being there."""
    _, stages = DATAPATHS[config.datapath]
    return stages(config, ending=LOSS_AND_GRADIENT).latency


def target_layout() -> data.StructLayout:
    """A class index."""
    return data.StructLayout({"index": Pick.INDEX_BITS})


def gradient_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of gradients, see :func:`output_layout`."""
    return output_layout(config, config.loss_grad.width, FLAGS)


def loss_layout(config: SoftmaxConfig) -> data.StructLayout:
    """The loss of a row, and what its gradient's beats tell of the row."""
    return data.StructLayout({"loss": config.loss.width, "row": row_layout(config, FLAGS)})


class CrossEntropyPass(wiring.Component):
    """The last pass: rows wait for their targets too, and have a loss.

    A row that is complete is joined with its target. Its element is read from a memory of all
    distances, so that it is known before the first beat leaves whether the row has a loss.

    Members: those of :class:`LastPass`, and
        target, loss: streams, see :class:`CrossEntropy`.
    """

    ports: ClassVar[tuple[str, ...]] = ("target", "o", "loss")

    def __init__(self, *, config: SoftmaxConfig, last: Residuals, wait: int, target: Target):
        self._config, self._last, self._wait, self._target = config, last, wait, target
        depth = LastPass.depth_of(config)
        self._gradients = ResidualPass(config=config, last=last, target=target)
        self._record = data.StructLayout(
            {"stage": last.scalar, "row": row_layout(config), "beats": range(depth + 1)}
        )
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(
                    data.StructLayout(
                        {
                            "elements": data.ArrayLayout(last.element, config.lanes),
                            "tag": tag_layout(config),
                        }
                    )
                ),
                "i_scalar": In(
                    data.StructLayout({"stage": last.scalar, "row": row_layout(config)})
                ),
                "given": Out(1),
                "row_given": Out(1),
                "target": In(stream.Signature(target_layout())),
                "o": Out(stream.Signature(gradient_layout(config))),
                "loss": Out(stream.Signature(loss_layout(config))),
            }
        )

    @staticmethod
    def latency_of(config: SoftmaxConfig, last: Residuals, wait: int) -> int:
        """Latency in cycles: of joining row and target, the buffer, the stage, and the queue."""
        notice = CrossEntropyPass._known(config) - RowBuffer.AHEAD
        joined = wait + Backlog.NOTICE + Backlog.latency + notice
        return joined + RowBuffer.NOTICE + RowBuffer.latency + last.latency + Queue.latency

    @staticmethod
    def _known(config: SoftmaxConfig) -> int:
        """Cycles from row and target to what is known of the target's element."""
        return Pick.latency_of(config.lanes) + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.gradients = gradients = self._gradients
        m.d.comb += [
            gradients.i_valid.eq(self.i_valid),
            gradients.i_last.eq(self.i_last),
            gradients.i.tag.eq(self.i.tag),
            self.given.eq(gradients.given),
        ]
        for lane in range(self._config.lanes):
            waiting, element = gradients.i.elements[lane], self.i.elements[lane]
            m.d.comb += [waiting[name].eq(element[name]) for name in self._last.waiting.members]
        wiring.connect(m, wiring.flipped(self.o), gradients.o)
        record, target, taken = self._join(m)
        pick = self._picked(m, gradients.place, record, target, taken)
        self._finish_rows(m, gradients, record, pick, taken)
        return m

    def _join(self, m: Module) -> tuple[data.View, Value, Value]:
        """A complete row and its target: (what the row has, its target, whether there is one)."""
        m.submodules.targets = targets = Inlet(target_layout(), target=self._target)
        m.submodules.complete = complete = Backlog(self._record, places=ROWS, target=self._target)
        wiring.connect(m, wiring.flipped(self.target), targets.i)
        count = Signal.like(complete.i.beats, init=1)  # beats of the row so far, this one counted
        with m.If(self.i_valid):
            m.d.sync += count.eq(count + 1)
        with m.If(self.i_last):
            m.d.sync += count.eq(1)
        both = targets.some & complete.some
        m.d.comb += [
            complete.next_valid.eq(
                delay(m, self.i_last, self._wait - 1, name="completes", reset=True)
            ),
            complete.i.stage.eq(self.i_scalar.stage),
            complete.i.row.eq(self.i_scalar.row),
            complete.i.beats.eq(delay(m, count, self._wait, name="beats")),
            targets.take.eq(both),
            complete.take.eq(both),
        ]
        taken = delay(m, both, Backlog.latency, name="taken", reset=True)
        return complete.o, targets.o.index, taken

    def _picked(
        self, m: Module, place: Value, record: data.View, target: Value, taken: Value
    ) -> Pick:
        """The target's element; ``place`` is where beats that come in are kept."""
        config = self._config
        m.submodules.pick = pick = Pick(
            data.StructLayout({"x": signed(config.input.width), "active": 1, "present": 1}),
            lanes=config.lanes,
            depth=LastPass.depth_of(config),
            target=self._target,
        )
        for lane in range(config.lanes):
            kept, element = pick.i[lane], self.i.elements[lane]
            m.d.comb += [
                kept.x.eq(element.x),
                kept.active.eq(element.active),
                kept.present.eq(self.i.tag.keep[lane]),
            ]
        m.d.comb += [
            pick.i_valid.eq(self.i_valid),
            pick.i_place.eq(place),
            pick.take.eq(taken),
            pick.index.eq(target),
            pick.beats.eq(record.beats),
        ]
        return pick

    def _finish_rows(
        self, m: Module, gradients: "ResidualPass", record: data.View, pick: Pick, taken: Value
    ) -> None:
        """Let a row leave, and tell its loss."""
        config = self._config
        wait = self._known(config)
        notice = wait - RowBuffer.AHEAD  # a row starts to leave before its scalar is needed
        stage = delay(m, record.stage, wait, name="stage")
        stage = data.View(self._last.scalar, stage)
        row = data.View(record.row.shape(), delay(m, record.row, wait - 1, name="row"))
        missing = pick.outside | ~pick.o.present
        error, ignored = row.error | (~missing & ~pick.o.active), missing & ~row.error
        flags, lanes = Signal(row_layout(config, FLAGS)), Signal(config.lanes)
        m.d.sync += [
            flags.error.eq(error),
            flags.ignored.eq(ignored),
            *((flags.id.eq(row.id),) if config.id_width else ()),
            lanes.eq(Mux(error | ignored, 0, 1 << pick.lane)),
        ]
        m.d.comb += [
            gradients.grant_beats.eq(
                delay(m, Mux(taken, record.beats, 0), notice, name="granted", reset=True)
            ),
            gradients.grant.eq(delay(m, taken, wait, name="grant", reset=True)),
            *(gradients.i_scalar.stage[n].eq(stage[n]) for n in self._last.of_element.members),
            gradients.i_scalar.stage.place.eq(register(m, pick.place, name="place")),
            gradients.i_scalar.stage.lanes.eq(lanes),
            gradients.i_scalar.row.eq(flags),
        ]
        x = register(m, pick.o.x, name="x")
        loss_done = self._tell_loss(m, *self._distance(m, x, stage), stage, flags, taken)
        self._give_rows(m, gradients.row_given, loss_done)

    def _distance(self, m: Module, x: Value, stage: data.View) -> tuple[Value, int]:
        """The target's distance, or its code where that is enough; the cycles that it takes."""
        config = self._config
        if self._last.top_in_ln:
            return x, 0
        if config.datapath == "exact_sum":
            return register(m, (config.top - x).as_unsigned(), name="distance"), 1
        m.submodules.difference = whole = Difference(
            width=config.input.width, span=config.span, reach=config.span
        )
        m.d.comb += [whole.x.eq(x), whole.maximum.eq(stage.maximum)]
        return whole.o, whole.latency

    def _tell_loss(
        self,
        m: Module,
        distance: Value,
        before: int,
        row: data.View,
        flags: data.View,
        taken: Value,
    ) -> Value:
        """The loss port; whether a loss leaves by it."""
        config, layout = self._config, loss_layout(self._config)
        known = self._known(config) + before
        flags = data.View(flags.shape(), delay(m, flags, before, name="loss_flags"))
        m.submodules.loss_stage = stage = Loss(
            golden=loss_stage(config), distance=distance.shape(), target=self._target
        )
        m.submodules.losses = losses = Backlog(layout, places=ROWS, target=self._target)
        m.submodules.loss_beats = beats = Credits(places=Queue.places)
        m.submodules.loss_queue = queue = Queue(layout)
        take = losses.some & beats.available
        m.d.comb += [
            stage.distance.eq(distance),
            stage.ln.eq(delay(m, row.ln, before, name="ln")),
            stage.active.eq(~(flags.error | flags.ignored)),
            losses.next_valid.eq(
                delay(m, taken, known + stage.latency - 1, name="has_loss", reset=True)
            ),
            losses.i.loss.eq(stage.o),
            losses.i.row.eq(delay(m, flags, stage.latency, name="loss_row")),
            losses.take.eq(take),
            beats.take.eq(take),
            beats.give.eq(self.loss.valid & self.loss.ready),
            queue.coming.eq(delay(m, take, losses.latency - 1, name="loss_coming", reset=True)),
            queue.i.eq(losses.o),
        ]
        wiring.connect(m, wiring.flipped(self.loss), queue.o)
        return self.loss.valid & self.loss.ready

    def _give_rows(self, m: Module, gradient_done: Value, loss_done: Value) -> None:
        """A row has left when the later of its two results has."""
        gradient = register(m, gradient_done, name="gradient_done", reset=True)
        loss = register(m, loss_done, name="loss_done", reset=True)
        ahead = Signal(signed(ROWS.bit_length() + 1))  # gradients that have left, less losses
        with m.If(gradient ^ loss):
            m.d.sync += ahead.eq(ahead + Mux(gradient, 1, -1))
        later = Mux(gradient, loss | ahead[-1], loss & ~ahead[-1] & (ahead != 0))
        m.d.comb += self.row_given.eq(register(m, later, name="row_left", reset=True))


class ResidualPass(LastPass):
    """The gradients of rows that leave when they are granted.

    Members, besides those of :class:`LastPass`:
        grant_beats: the beats of the next row that may leave, else 0; ``RowBuffer.AHEAD`` cycles
            before, at most, or at the time of
        grant: the scalar of that row.
        place: where the beat that comes in is kept.
    """

    flags: ClassVar[tuple[str, ...]] = FLAGS

    def __init__(self, *, config: SoftmaxConfig, last: Residuals, target: Target):
        self._stage = last
        # the target's place: in rows without a loss, in no lane
        places = GrantedRowBuffer.places(self.depth_of(config))
        scalar = {**last.of_element.members, "place": range(places), "lanes": config.lanes}
        waiting = _Waiting(last, data.StructLayout(scalar))
        super().__init__(config=config, last=waiting, wait=0, target=target)

    def _make_buffer(self, **arguments: Any) -> RowBuffer:
        return GrantedRowBuffer(**arguments)

    def _members(self) -> dict[str, Any]:
        depth = self.depth_of(self._config)
        places = range(GrantedRowBuffer.places(depth))
        return {"grant": In(1), "grant_beats": In(range(depth + 1)), "place": Out(places)}

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        m.d.comb += [
            self._buffer.grant.eq(self.grant),
            self._buffer.grant_beats.eq(self.grant_beats),
            self.place.eq(self._buffer.place),
        ]
        return m

    def _finish(self, m: Module, out: data.View) -> None:
        config, buffer = self._config, self._buffer
        beat, scalar = buffer.o, buffer.o_scalar
        here = register(m, buffer.o_place == scalar.stage.place, name="here")
        nothing = scalar.row.error | scalar.row.ignored
        for lane in range(config.lanes):
            element = beat.elements[lane]
            dropped = beat.tag.clipped[lane] if config.clip_gradient == "zero" else 0
            m.submodules[f"lane{lane}"] = last = self._stage.stage(len(scalar.stage.q))
            m.d.comb += [
                last.mantissa.eq(element.mantissa),
                last.exponent.eq(element.exponent),
                last.r.eq(scalar.stage.r),
                last.q.eq(scalar.stage.q),
                last.active.eq(element.active & ~nothing & ~dropped),
                last.target.eq(
                    here & register(m, scalar.stage.lanes[lane] & ~dropped, name=f"chosen{lane}")
                ),
                out.p[lane].eq(last.o),
            ]


class _Waiting:
    """What the row buffer holds, see ``LastStage``."""

    def __init__(self, last: Residuals, scalar: data.StructLayout):
        self.element, self.scalar = last.waiting, scalar
        self.latency, self.width = last.latency, last.width


class GrantedRowBuffer(RowBuffer):
    """A row buffer whose rows leave when they are told to.

    Members, besides those of :class:`RowBuffer` and those of :class:`ResidualPass`:
        o_place: where the beat that leaves was kept.
    """

    def __init__(self, *, depth: int, **arguments: Any):
        super().__init__(depth=self.places(depth), **arguments)

    @staticmethod
    def places(depth: int) -> int:
        """Places of the ring: a power of two, so that addresses wrap by themselves."""
        return 1 << (depth - 1).bit_length()

    def _members(self) -> dict[str, Any]:
        places = range(self._depth)
        return {
            "grant": In(1),
            "grant_beats": In(range(self._depth + 1)),
            "place": Out(places),
            "o_place": Out(places),
        }

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        ring = m.submodules.ring
        m.d.comb += [
            self.place.eq(ring.w_addr),
            self.o_place.eq(delay(m, ring.r_addr, self.latency, name="o_place")),
        ]
        return m

    def _complete(self, m: Module) -> Value:
        return self.grant

    def _count_beats(self, m: Module) -> Value:
        return self.grant_beats


class LossAndGradient:
    """The ending of the cross-entropy unit, see ``Ending``."""

    def last_stage(self, config: SoftmaxConfig, *, exp: Contents, target: Target) -> Residuals:
        return Residuals(
            golden=residual_stage(config),
            loss=loss_stage(config),
            config=config,
            exp=exp,
            target=target,
        )

    def last_pass(
        self, *, config: SoftmaxConfig, last: Residuals, wait: int, target: Target
    ) -> CrossEntropyPass:
        return CrossEntropyPass(config=config, last=last, wait=wait, target=target)

    def latency_of(self, config: SoftmaxConfig, last: Residuals, wait: int) -> int:
        return CrossEntropyPass.latency_of(config, last, wait)


LOSS_AND_GRADIENT = LossAndGradient()


def capacity(config: SoftmaxConfig) -> Capacity:
    """What the unit of a configuration accepts while its outputs are blocked, targets enough."""
    _, stages = DATAPATHS[config.datapath]
    inside = capacity_of(config, buffers=stages.buffers, lead=Frame.latency)
    return replace(inside, rows=ROWS)  # a row counts until its loss has left too
