"""The softmax unit: rows of logits in, rows of probabilities out."""

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from ..golden.accumulate import Accumulate as GoldenAccumulate
from ..golden.config import SoftmaxConfig
from ..golden.exp import exp_table
from .accumulate import Accumulate
from .credits import Credits
from .difference import Difference
from .exp import Exp
from .frame import Frame
from .pipeline import delay
from .probability import STAGES, last_stage
from .row_buffer import RowBuffer
from .row_max import RowMax
from .target import GENERIC, Target

ROWS = 64
"""Rows that can be in flight between input and output."""
EXTRA_BEATS = 64
"""Beats that a row buffer holds beyond the longest row, so that the next row comes in meanwhile."""
OUTPUT_LATENCY = 2
"""Cycles through the output's FIFO."""
OUTPUT_BEATS = 32
"""Beats that can wait at the output, more than the last pass holds in its pipeline."""


def input_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of logits: ``keep``: bytes present, ``mask``: elements left out of the row."""
    lanes = config.lanes
    return data.StructLayout(
        {
            "x": data.ArrayLayout(signed(config.input.width), lanes),
            "keep": data.ArrayLayout(config.input.container // 8, lanes),
            "mask": lanes,
            **id_field(config),
            "last": 1,
        }
    )


def output_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A beat of probabilities: ``p``, and a :func:`tag_layout`."""
    elements = data.ArrayLayout(config.output.width, config.lanes)
    return data.StructLayout({"p": elements, "tag": tag_layout(config), "last": 1})


def tag_layout(config: SoftmaxConfig) -> data.StructLayout:
    """What goes with a beat: ``keep``: elements present, ``clipped``: whose input was clipped,
    ``error``: of the row, ``id``: the row's."""
    lanes = config.lanes
    return data.StructLayout({"keep": lanes, "clipped": lanes, "error": 1, **id_field(config)})


def id_field(config: SoftmaxConfig) -> dict[str, int]:
    """The tid's field of a layout; none where the unit has none, for Verilog has no 0 bits."""
    return {"id": config.id_width} if config.id_width else {}


@dataclass(frozen=True, slots=True)
class Latency:
    """Cycles from the edge that accepts a row's last beat to the edge that presents its first
    output beat, the unit idle and the reader ready: fixed + per_beat * beats of the row."""

    fixed: int
    per_beat: int


def latency(config: SoftmaxConfig) -> Latency:
    """Latency of the unit of a configuration."""
    lanes, last = config.lanes, STAGES[config.function]
    first_pass = Frame.latency + RowMax.latency_of(lanes)
    second_pass = (
        Difference.latency
        + Exp.latency_of(exp_table(config))
        + Accumulate.latency_of(lanes)
        + last.row_latency
    )
    # each buffer takes a cycle to see that its row is complete; the first beat of a row is read a
    # cycle for every further beat before its last
    buffers = 2 * (1 + RowBuffer.latency) - 1
    return Latency(first_pass + second_pass + buffers + last.latency + OUTPUT_LATENCY, 1)


class Softmax(wiring.Component):
    """The twin of ``golden.softmax``: three passes over a row, pipelined over the rows.

    Beats wait in one buffer for their row's maximum and, as exponentials, in a second one for the
    reciprocal of their row's sum. Every buffer hands credits to what feeds it, so the pipelines
    between them never stall, and no cycle depends on a value.

    One beat per cycle, rows back to back; :func:`latency` cycles. The second pass starts with the
    row's last beat, hence a cycle of latency for every beat.

    Members:
        i: rows of logits, see :func:`input_layout`.
        o: rows of probabilities, see :func:`output_layout`.
    """

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        self._exp, self._sum = exp_table(config), GoldenAccumulate.of(config)
        self._last = last_stage(config, exp=self._exp, sum_bits=self._sum.sum_bits, target=target)
        self._depth = config.max_beats + EXTRA_BEATS
        super().__init__(
            {
                "i": In(stream.Signature(input_layout(config))),
                "o": Out(stream.Signature(output_layout(config))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.input_beats = input_beats = Credits(places=self._depth, lead=Frame.latency)
        m.submodules.exponential_beats = exponential_beats = Credits(places=self._depth)
        m.submodules.output_beats = output_beats = Credits(places=OUTPUT_BEATS)
        m.submodules.rows = rows = Credits(places=ROWS, lead=Frame.latency)

        logits = self._first_pass(m)
        m.d.comb += [
            self.i.ready.eq(input_beats.available & rows.available),
            input_beats.take.eq(logits.i_valid),
            rows.take.eq(logits.i_valid & logits.i_last),
            logits.read.eq(exponential_beats.available),
            input_beats.give.eq(logits.reading),
            exponential_beats.take.eq(logits.reading),
        ]
        exponentials = self._second_pass(m, logits)
        m.d.comb += [
            exponentials.read.eq(output_beats.available),
            exponential_beats.give.eq(exponentials.reading),
            output_beats.take.eq(exponentials.reading),
            rows.give.eq(exponentials.o_valid & exponentials.o_last),
        ]
        self._third_pass(m, exponentials)
        m.d.comb += output_beats.give.eq(self.o.valid & self.o.ready)
        return m

    def _first_pass(self, m: Module) -> RowBuffer:
        """Clip the elements and find the row's maximum; the beats wait for it."""
        config, beat = self._config, self.i.payload
        m.submodules.frame = frame = Frame(config=config, container=config.input.container)
        m.submodules.row_max = row_max = RowMax(
            lanes=config.lanes, width=config.input.width, lowest=config.input.min_code
        )
        lanes, width = config.lanes, signed(config.input.width)
        m.submodules.logits = logits = RowBuffer(
            beat=data.StructLayout(
                {
                    "x": data.ArrayLayout(width, lanes),
                    "active": lanes,
                    "keep": lanes,
                    "clipped": lanes,
                }
            ),
            scalar=data.StructLayout({"maximum": width, "error": 1, **id_field(config)}),
            depth=self._depth,
            rows=ROWS,
        )
        wait = RowMax.latency_of(lanes)
        m.d.comb += [
            frame.i_valid.eq(self.i.valid & self.i.ready),
            frame.i_last.eq(beat.last),
            frame.i.eq(beat.x),
            frame.keep.eq(beat.keep),
            frame.mask.eq(beat.mask),
            row_max.i_valid.eq(frame.o_valid),
            row_max.i_last.eq(frame.o_last),
            row_max.i.eq(frame.o),
            row_max.active.eq(frame.active),
            logits.i_valid.eq(frame.o_valid),
            logits.i_last.eq(frame.o_last),
            logits.i.x.eq(frame.o),
            logits.i.active.eq(frame.active),
            logits.i.keep.eq(frame.o_keep),
            logits.i.clipped.eq(frame.clipped),
            logits.i_scalar_valid.eq(row_max.o_valid),
            logits.i_scalar.maximum.eq(row_max.o),
            logits.i_scalar.error.eq(delay(m, frame.error, wait, name="error")),
        ]
        if config.id_width:
            ident = delay(m, beat.id, Frame.latency + wait, name="id")
            m.d.comb += logits.i_scalar.id.eq(ident)
        return logits

    def _second_pass(self, m: Module, logits: RowBuffer) -> RowBuffer:
        """exp of the difference, and the reciprocal of the row's sum; the beats wait for it."""
        config, exp, last = self._config, self._exp, self._last
        lanes = config.lanes
        m.submodules.accumulate = accumulate = Accumulate(
            golden=self._sum, lanes=lanes, shift_bits=exp.shift_bits
        )
        m.submodules.row_scalar = scalar = last.row
        m.submodules.exponentials = exponentials = RowBuffer(
            beat=data.StructLayout(
                {"elements": data.ArrayLayout(last.element, lanes), "tag": tag_layout(config)}
            ),
            scalar=last.scalar,
            depth=self._depth,
            rows=ROWS,
        )
        latency = Difference.latency + Exp.latency_of(exp)
        row, beat = logits.o_scalar, logits.o
        tag = Signal(tag_layout(config))
        m.d.comb += [
            tag.keep.eq(beat.keep | row.error.replicate(lanes)),
            tag.clipped.eq(beat.clipped & ~row.error.replicate(lanes)),
            tag.error.eq(row.error),
        ]
        if config.id_width:
            m.d.comb += tag.id.eq(row.id)
        tag = data.View(tag_layout(config), delay(m, tag, latency, name="exp_tag"))
        active, clipped = Signal(lanes), Signal(lanes)
        for lane in range(lanes):
            subtract = Difference(width=config.input.width, span=config.span, reach=config.reach)
            table = Exp(golden=exp, target=self._target)
            m.submodules[f"difference{lane}"], m.submodules[f"exp{lane}"] = subtract, table
            element = exponentials.i.elements[lane]
            fields = last.element_of(m, f"distance{lane}", subtract, table, active[lane])
            m.d.comb += [
                subtract.x.eq(beat.x[lane]),
                subtract.maximum.eq(row.maximum),
                table.i.eq(subtract.o),
                clipped[lane].eq(subtract.clipped),
                accumulate.mantissa[lane].eq(Mux(active[lane], table.mantissa, 0)),
                accumulate.shift[lane].eq(table.shift),
                *(element[name].eq(value) for name, value in fields.items()),
            ]
        m.d.comb += [
            active.eq(delay(m, beat.active & ~row.error.replicate(lanes), latency, name="active")),
            exponentials.i.tag.eq(tag),
            exponentials.i.tag.clipped.eq(
                tag.clipped
                | delay(m, clipped, latency - Difference.latency, name="exp_clipped") & active
            ),
            exponentials.i_last.eq(delay(m, logits.o_last, latency, name="exp_last")),
            exponentials.i_valid.eq(
                delay(m, logits.o_valid, latency, name="exp_valid", reset=True)
            ),
            accumulate.i_valid.eq(exponentials.i_valid),
            accumulate.i_last.eq(exponentials.i_last),
            scalar.i_valid.eq(accumulate.o_valid),
            scalar.i.eq(accumulate.o),
            exponentials.i_scalar_valid.eq(scalar.o_valid),
            *(
                exponentials.i_scalar[name].eq(value)
                for name, value in last.scalar_of(scalar).items()
            ),
        ]
        return exponentials

    def _third_pass(self, m: Module, exponentials: RowBuffer) -> None:
        """Finish the elements with their row's scalar; they wait for the output's reader."""
        config, last, beat = self._config, self._last, exponentials.o
        layout = output_layout(config)
        out = Signal(layout)
        for lane in range(config.lanes):
            code = last.finish(
                m, f"last{lane}", beat.elements[lane], exponentials.o_scalar, beat.tag.error
            )
            m.d.comb += out.p[lane].eq(code)
        latency = last.latency
        m.submodules.output = output = fifo.SyncFIFOBuffered(width=layout.size, depth=OUTPUT_BEATS)
        m.d.comb += [
            out.tag.eq(delay(m, beat.tag, latency, name="tag")),
            out.last.eq(delay(m, exponentials.o_last, latency, name="last")),
            output.w_en.eq(delay(m, exponentials.o_valid, latency, name="valid", reset=True)),
            output.w_data.eq(out),
            self.o.valid.eq(output.r_rdy),
            self.o.payload.eq(output.r_data),
            output.r_en.eq(self.o.ready),
        ]
