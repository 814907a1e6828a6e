"""The textbook datapath: rows of logits in, rows of probabilities out, in three passes."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import Accumulate as GoldenAccumulate
from ...golden.stages.exp import exp_table
from ..flow.credits import Credits
from ..flow.row_buffer import RowBuffer
from ..parts.pipeline import delay
from ..ports.beats import input_layout, row_layout
from ..ports.frame import Frame
from ..stages.accumulate import Accumulate
from ..stages.difference import Difference
from ..stages.exp import ByDifference, Exp
from ..stages.probability import Place
from ..stages.row_max import RowMax
from ..targets.generic import GENERIC, Target
from .last_pass import PROBABILITIES, ROWS, Ending, LastPass, ports_of
from .latency import Latency


class Stages:
    """The golden stages of a unit, and how long their twins take.

    Attributes:
        wait: cycles from the last beat of a row's exponentials to the row's scalar.
        latency: of the unit.
        buffers: row buffers that a beat goes through.
    """

    buffers = 2

    def __init__(
        self, config: SoftmaxConfig, target: Target = GENERIC, ending: Ending = PROBABILITIES
    ):
        self.exp, self.accumulate = exp_table(config), GoldenAccumulate.of(config)
        self.contents = ByDifference.of(self.exp)
        self.last = ending.last_stage(config, exp=self.contents, target=target)
        self.wait = Accumulate.latency_of(config.lanes) + self.last.row_latency
        # the last beat of a row leaves after all others
        buffer = RowBuffer.notice(RowMax.latency_of(config.lanes)) + RowBuffer.latency - 1
        second_pass = Difference.latency + Exp.latency_of(self.exp)
        last_pass = ending.latency_of(config, self.last, self.wait)
        self.latency = Latency(Frame.latency + buffer + second_pass + last_pass, 1)


class MaxSubtract(wiring.Component):
    """The twin of ``golden.softmax`` where ``datapath`` is ``max_subtract``.

    Beats wait in one buffer for their row's maximum and, as exponentials, in that of the last pass
    for the scalar of their row's sum. Every buffer hands out credits, so that the pipelines between
    them never stall, and no cycle depends on a value.

    One beat per cycle, rows back to back. The second pass starts with the row's last beat, hence a
    cycle of latency for every beat.

    Members:
        i: rows of logits, see :func:`input_layout`.
        o, and others: as the last pass has them, which ``ending`` makes.
    """

    def __init__(
        self,
        *,
        config: SoftmaxConfig,
        target: Target = GENERIC,
        ending: Ending = PROBABILITIES,
    ):
        self._config, self._target = config, target
        self._stages = Stages(config, target, ending)
        self._last_pass = ending.last_pass(
            config=config, last=self._stages.last, wait=self._stages.wait, target=target
        )
        super().__init__(
            {"i": In(stream.Signature(input_layout(config))), **ports_of(self._last_pass)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        places = LastPass.depth_of(self._config)
        m.submodules.input_beats = input_beats = Credits(places=places, lead=Frame.latency)
        m.submodules.beats = beats = Credits(places=places)
        m.submodules.rows = rows = Credits(places=ROWS, lead=Frame.latency)
        m.submodules.last_pass = last_pass = self._last_pass
        logits = self._first_pass(m)
        m.d.comb += [
            self.i.ready.eq(input_beats.available & rows.available),
            input_beats.take.eq(logits.i_valid),
            rows.take.eq(logits.i_last),
            logits.read.eq(beats.available),
            input_beats.give.eq(logits.reading),
            beats.take.eq(logits.reading),
            beats.give.eq(last_pass.given),
            rows.give.eq(last_pass.row_given),
        ]
        for name in last_pass.ports:
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(last_pass, name))
        self._second_pass(m, logits, last_pass)
        return m

    def _first_pass(self, m: Module) -> RowBuffer:
        """Clip the elements and find the row's maximum; the beats wait for it."""
        config, beat = self._config, self.i.payload
        lanes, width = config.lanes, config.input.width
        m.submodules.frame = frame = Frame(config=config, container=config.input.container)
        m.submodules.row_max = row_max = RowMax(
            lanes=lanes, width=width, lowest=config.input.min_code
        )
        wait = RowMax.latency_of(lanes)
        m.submodules.logits = logits = RowBuffer(
            beat=data.StructLayout(
                {
                    "x": data.ArrayLayout(row_max.o.shape(), lanes),
                    "active": lanes,
                    "keep": lanes,
                    "clipped": lanes,
                }
            ),
            scalar=data.StructLayout({"maximum": row_max.o.shape(), "row": row_layout(config)}),
            depth=LastPass.depth_of(config),
            rows=ROWS,
            wait=wait,
            target=self._target,
        )
        m.d.comb += [
            frame.i_valid.eq(self.i.valid & self.i.ready),
            frame.i_last.eq(beat.last),
            frame.i.eq(beat.x),
            frame.keep.eq(beat.keep),
            frame.mask.eq(beat.mask),
            row_max.i_last.eq(frame.o_last),
            row_max.i.eq(frame.o),
            row_max.active.eq(frame.active),
            logits.i_valid.eq(frame.o_valid),
            logits.i_last.eq(frame.o_last),
            logits.i.x.eq(frame.o),
            logits.i.active.eq(frame.active),
            logits.i.keep.eq(frame.o_keep),
            logits.i.clipped.eq(frame.clipped),
            logits.i_scalar.maximum.eq(row_max.o),
            logits.i_scalar.row.error.eq(delay(m, frame.error, wait, name="error")),
        ]
        if config.id_width:
            ident = delay(m, beat.id, Frame.latency + wait, name="id")
            m.d.comb += logits.i_scalar.row.id.eq(ident)
        return logits

    def _second_pass(self, m: Module, logits: RowBuffer, last_pass: LastPass) -> None:
        """exp of the difference, and the scalar of the row's sum."""
        config, exp_golden, last = self._config, self._stages.exp, self._stages.last
        lanes = config.lanes
        m.submodules.accumulate = accumulate = Accumulate(
            golden=self._stages.accumulate,
            lanes=lanes,
            shift_bits=self._stages.contents.exponent_bits,
            target=self._target,
        )
        m.submodules.row_scalar = scalar = last.row()
        latency = Difference.latency + Exp.latency_of(exp_golden)
        row, beat = logits.o_scalar, logits.o
        early = beat.active & logits.o_valid.replicate(lanes)
        early = delay(m, early, Difference.latency, name="early_active", reset=True)
        after = latency - Difference.latency
        active = delay(m, early, after, name="active", reset=True)
        saturated = Signal(lanes)
        for lane in range(lanes):
            m.submodules[f"difference{lane}"] = subtract = Difference(
                width=config.input.width, span=config.span, reach=config.reach
            )
            m.submodules[f"exp{lane}"] = exp = Exp(
                golden=exp_golden, contents=self._stages.contents, target=self._target
            )

            def distance(x=beat.x[lane], lane=lane):
                whole = Difference(width=config.input.width, span=config.span, reach=config.span)
                m.submodules[f"distance{lane}"] = whole
                m.d.comb += [whole.x.eq(x), whole.maximum.eq(row.maximum)]
                return delay(m, whole.o, latency - whole.latency, name=f"distance{lane}")

            def later(x=beat.x[lane], lane=lane):
                return delay(m, x, latency, name=f"x{lane}")

            place = Place(distance=distance, x=later)

            element = last_pass.i.elements[lane]
            m.d.comb += [
                subtract.x.eq(beat.x[lane]),
                subtract.maximum.eq(row.maximum),
                exp.i.eq(subtract.o),
                saturated[lane].eq(subtract.clipped),
                accumulate.mantissa[lane].eq(exp.mantissa),
                accumulate.shift[lane].eq(exp.exponent),
                *(
                    element[name].eq(value)
                    for name, value in last.element_of(exp, active[lane], place).items()
                ),
            ]

        def maximum():
            return delay(m, row.maximum, latency + self._stages.wait, name="maximum")

        end = delay(m, logits.o_valid & logits.o_last, latency, name="last", reset=True)
        valid = delay(m, logits.o_valid, latency, name="valid", reset=True)
        clipped = delay(m, beat.clipped, Difference.latency, name="early_clipped")
        clipped = delay(m, clipped | saturated & early, after, name="clipped")
        m.d.comb += [
            accumulate.active.eq(active),
            accumulate.i_last.eq(end),
            scalar.i.eq(accumulate.o),
            last_pass.i_valid.eq(valid),
            last_pass.i_last.eq(end),
            last_pass.i.tag.keep.eq(delay(m, beat.keep, latency, name="keep")),
            last_pass.i.tag.clipped.eq(clipped),
            *(
                last_pass.i_scalar.stage[name].eq(value)
                for name, value in last.scalar_of(scalar, maximum).items()
            ),
            last_pass.i_scalar.row.eq(delay(m, row.row, latency + self._stages.wait, name="row")),
        ]
