"""The textbook datapath: exponentials of rows of logits less their maximum, in two passes."""

from typing import ClassVar

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data, wiring

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import Accumulate as GoldenAccumulate
from ...golden.stages.exp import exp_table
from ..flow.credits import Credits
from ..flow.row_buffer import RowBuffer
from ..flow.row_wait import RowWait
from ..parts.pipeline import delay
from ..ports.beats import row_layout
from ..stages.accumulate import Accumulate
from ..stages.difference import Difference
from ..stages.exp import ByDifference, Contents, Exp
from ..stages.exponentials import Exponentials, element_layout
from ..stages.row_max import RowMax
from ..targets.generic import Target
from .capacity import ROWS, depth_of
from .datapath import Datapath, members_of
from .latency import Latency
from .logits import Logits


class MaxSubtractPlan:
    """The :class:`DatapathPlan` whose golden twin is
    :class:`golden.datapaths.max_subtract.MaxSubtract`."""

    buffers: ClassVar[int] = 1

    def __init__(self, config: SoftmaxConfig, fields: tuple[str, ...]):
        self.config, self.fields, self.exp = config, fields, exp_table(config)
        self.contents: Contents = ByDifference.of(self.exp)
        self.element = element_layout(config, self.contents, fields)
        # the last beat of a row leaves after all others
        buffer = RowWait.notice_of(RowMax.latency_of(config.lanes)) + RowBuffer.latency - 1
        self.second_pass = Difference.latency + Exp.latency_of(self.exp)
        self.latency = Latency(Logits.latency + buffer + self.second_pass, 1)
        self.sum_latency = Accumulate.latency_of(config.lanes)

    def component(self, target: Target) -> Datapath:
        """The datapath."""
        return MaxSubtract(self, target)


class MaxSubtract(wiring.Component):
    """The :class:`Datapath` by the row's maximum.

    Beats wait in a row buffer for their row's maximum. It and what follows hand out credits, so
    that the pipelines between them never stall, and no cycle depends on a value.

    One beat per cycle, rows back to back. The second pass starts with the row's last beat, hence a
    cycle of latency for every beat.
    """

    def __init__(self, plan: MaxSubtractPlan, target: Target):
        self._plan, self._config, self._target = plan, plan.config, target
        super().__init__(members_of(plan.config, plan.contents, plan.element))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        places = depth_of(self._config)
        m.submodules.input_beats = input_beats = Credits(places=places, lead=Logits.latency)
        m.submodules.beats = beats = Credits(places=places)
        m.submodules.rows = rows = Credits(places=ROWS, lead=Logits.latency)
        waiting = self._first_pass(m)
        m.d.comb += [
            self.i.ready.eq(input_beats.available & rows.available),
            input_beats.take.eq(waiting.i_valid),
            rows.take.eq(waiting.i_last),
            waiting.read.eq(beats.available),
            input_beats.give.eq(waiting.reading),
            beats.take.eq(waiting.reading),
            beats.give.eq(self.given),
            rows.give.eq(self.row_given),
        ]
        self._second_pass(m, waiting)
        self._give_row(m, waiting)
        return m

    def _first_pass(self, m: Module) -> RowBuffer:
        """Clip the elements and find the row's maximum; the beats wait for it."""
        config, lanes = self._config, self._config.lanes
        m.submodules.logits = logits = Logits(config=config)
        m.submodules.row_max = row_max = RowMax(
            lanes=lanes, width=config.input.width, lowest=config.input.min_code
        )
        wait = RowMax.latency_of(lanes)
        m.submodules.row_wait = row_wait = RowWait(wait=wait, depth=depth_of(config))
        m.submodules.waiting = waiting = RowBuffer(
            beat=data.StructLayout(
                {
                    "x": data.ArrayLayout(row_max.o.shape(), lanes),
                    "active": lanes,
                    "keep": lanes,
                    "clipped": lanes,
                }
            ),
            scalar=data.StructLayout({"maximum": row_max.o.shape(), "row": row_layout(config)}),
            depth=depth_of(config),
            rows=ROWS,
            target=self._target,
        )
        m.d.comb += [
            logits.i_valid.eq(self.i.valid & self.i.ready),
            logits.i.eq(self.i.payload),
            row_max.i_last.eq(logits.o_last),
            row_max.i.eq(logits.o),
            row_max.active.eq(logits.active),
            row_wait.i_valid.eq(logits.o_valid),
            row_wait.i_last.eq(logits.o_last),
            waiting.i_valid.eq(logits.o_valid),
            waiting.i_last.eq(logits.o_last),
            waiting.i.x.eq(logits.o),
            waiting.i.active.eq(logits.active),
            waiting.i.keep.eq(logits.keep),
            waiting.i.clipped.eq(logits.clipped),
            waiting.beats.eq(row_wait.beats),
            waiting.complete.eq(row_wait.complete),
            waiting.i_scalar.maximum.eq(row_max.o),
            waiting.i_scalar.row.error.eq(delay(m, logits.error, wait, name="error")),
        ]
        if config.id_width:
            ident = delay(m, self.i.payload.id, Logits.latency + wait, name="id")
            m.d.comb += waiting.i_scalar.row.id.eq(ident)
        return waiting

    def _second_pass(self, m: Module, waiting: RowBuffer) -> None:
        """exp of the difference, and the sum so far."""
        plan, lanes, beat = self._plan, self._config.lanes, waiting.o
        m.submodules.exponentials = exponentials = Exponentials(
            config=self._config,
            golden=plan.exp,
            contents=plan.contents,
            fields=plan.fields,
            target=self._target,
        )
        m.submodules.accumulate = accumulate = Accumulate(
            golden=GoldenAccumulate.of(self._config),
            lanes=lanes,
            shift_bits=plan.contents.exponent_bits,
            target=self._target,
        )
        active = beat.active & waiting.o_valid.replicate(lanes)
        active = delay(m, active, Difference.latency, name="active", reset=True)
        saturated = self._subtract(m, waiting, exponentials)
        clipped = delay(m, beat.clipped, Difference.latency, name="early_clipped")
        after, latency = Exp.latency_of(plan.exp), plan.second_pass
        last = waiting.o_valid & waiting.o_last
        m.d.comb += [
            exponentials.active.eq(active),
            accumulate.mantissa.eq(exponentials.mantissa),
            accumulate.next_shift.eq(exponentials.next_exponent),
            accumulate.active.eq(exponentials.o_active),
            accumulate.i_last.eq(self.o_last),
            self.sum.code.eq(accumulate.o),
            self.o_valid.eq(delay(m, waiting.o_valid, latency, name="valid", reset=True)),
            self.o_last.eq(delay(m, last, latency, name="last", reset=True)),
            self.o.elements.eq(exponentials.elements),
            self.o.tag.keep.eq(delay(m, beat.keep, latency, name="keep")),
            self.o.tag.clipped.eq(delay(m, clipped | saturated & active, after, name="clipped")),
        ]

    def _subtract(self, m: Module, waiting: RowBuffer, exponentials: Exponentials) -> Value:
        """Every lane's difference; whether it was saturated."""
        config, fields = self._config, self._plan.fields
        width, maximum = config.input.width, waiting.o_scalar.maximum
        saturated = []
        for lane, x in enumerate(waiting.o.x):
            subtract = Difference(width=width, span=config.span, reach=config.path.reach)
            m.submodules[f"difference{lane}"] = subtract
            m.d.comb += [
                subtract.x.eq(x),
                subtract.maximum.eq(maximum),
                exponentials.address[lane].eq(subtract.o),
            ]
            saturated.append(subtract.clipped)
            if "x" in fields:
                later = delay(m, x, subtract.latency, name=f"x{lane}")
                m.d.comb += exponentials.x[lane].eq(later)
            if "distance" in fields:
                whole = Difference(width=width, span=config.span, reach=config.span)
                m.submodules[f"distance{lane}"] = whole
                m.d.comb += [
                    whole.x.eq(x),
                    whole.maximum.eq(maximum),
                    exponentials.distance[lane].eq(whole.o),
                ]
        return Cat(saturated)

    def _give_row(self, m: Module, waiting: RowBuffer) -> None:
        """What is known of the row as its sum comes."""
        plan, scalar = self._plan, waiting.o_scalar
        wait = plan.second_pass + plan.sum_latency
        m.d.comb += self.row.eq(delay(m, scalar.row, wait, name="row"))
        if "x" in plan.fields:
            m.d.comb += self.maximum.eq(delay(m, scalar.maximum, wait, name="maximum"))
