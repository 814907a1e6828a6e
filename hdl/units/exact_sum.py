"""The datapath without a maximum: rows of logits in, rows of probabilities out, in two passes."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import Accumulate as GoldenAccumulate
from ...golden.stages.exp import exp_table
from ..flow.credits import Credits
from ..parts.pipeline import delay, register
from ..ports.beats import input_layout
from ..ports.frame import Frame
from ..stages.exact_accumulate import ExactAccumulate
from ..stages.exp import ByLogit, Exp
from ..stages.probability import Place
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

    buffers = 1

    def __init__(
        self, config: SoftmaxConfig, target: Target = GENERIC, ending: Ending = PROBABILITIES
    ):
        self.exp, self.accumulate = exp_table(config), GoldenAccumulate.of(config)
        self.contents = ByLogit.of(self.exp, config)
        self.last = ending.last_stage(config, exp=self.contents, target=target)
        self.wait = (
            ExactAccumulate.latency_of(self.accumulate, config.lanes) + self.last.row_latency
        )
        first_pass = Frame.latency + Exp.latency_of(self.exp)
        self.latency = Latency(first_pass + ending.latency_of(config, self.last, self.wait), 0)


class ExactSum(wiring.Component):
    """The twin of ``golden.softmax`` where ``datapath`` is ``exact_sum``.

    First pass: exp of every element, and the exact sum of the row; the elements wait in the row
    buffer of the last pass for the scalar that the sum gives. The row buffer hands out credits, so
    that no pipeline stalls, and no cycle depends on a value.

    One beat per cycle, rows back to back; the latency does not depend on the row.

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
        config, beat = self._config, self.i.payload
        m.submodules.frame = frame = Frame(config=config, container=config.input.container)
        m.submodules.last_pass = last_pass = self._last_pass
        m.submodules.beats = beats = Credits(places=LastPass.depth_of(config), lead=Frame.latency)
        m.submodules.rows = rows = Credits(places=ROWS, lead=Frame.latency)
        m.d.comb += [
            self.i.ready.eq(beats.available & rows.available),
            frame.i_valid.eq(self.i.valid & self.i.ready),
            frame.i_last.eq(beat.last),
            frame.i.eq(beat.x),
            frame.keep.eq(beat.keep),
            frame.mask.eq(beat.mask),
            beats.take.eq(frame.o_valid),
            rows.take.eq(frame.o_last),
            beats.give.eq(last_pass.given),
            rows.give.eq(last_pass.row_given),
        ]
        for name in last_pass.ports:
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(last_pass, name))
        self._first_pass(m, frame, last_pass)
        return m

    def _first_pass(self, m: Module, frame: Frame, last_pass: LastPass) -> None:
        """exp of every element, and the scalar of the row's sum."""
        config, last = self._config, self._stages.last
        m.submodules.accumulate = accumulate = ExactAccumulate(
            golden=self._stages.accumulate,
            lanes=config.lanes,
            place_bits=self._stages.contents.exponent_bits,
            target=self._target,
        )
        m.submodules.row_scalar = scalar = last.row()
        latency = Exp.latency_of(self._stages.exp)
        valid = delay(m, frame.o_valid, latency, name="valid", reset=True)
        end = delay(m, frame.o_last, latency, name="last", reset=True)
        active = delay(m, frame.active, latency, name="active", reset=True)
        for lane in range(config.lanes):
            m.submodules[f"exp{lane}"] = exp = Exp(
                golden=self._stages.exp, contents=self._stages.contents, target=self._target
            )
            x = frame.o[lane]

            def distance(x=x, lane=lane):
                whole = register(m, (config.top - x).as_unsigned(), name=f"distance{lane}")
                return delay(m, whole, latency - 1, name=f"distance{lane}")

            def later(x=x, lane=lane):
                return delay(m, x, latency, name=f"x{lane}")

            place = Place(distance=distance, x=later)

            element = last_pass.i.elements[lane]
            m.d.comb += [
                exp.i.eq(x),
                accumulate.mantissa[lane].eq(exp.mantissa),
                accumulate.next_place[lane].eq(exp.next_exponent),
                *(
                    element[name].eq(value)
                    for name, value in last.element_of(exp, active[lane], place).items()
                ),
            ]
        m.d.comb += [
            accumulate.active.eq(active),
            accumulate.i_last.eq(end),
            scalar.i.eq(accumulate.o),
            last_pass.i_valid.eq(valid),
            last_pass.i_last.eq(end),
            last_pass.i.tag.keep.eq(delay(m, frame.o_keep, latency, name="keep")),
            last_pass.i.tag.clipped.eq(delay(m, frame.clipped, latency, name="clipped")),
            *(
                last_pass.i_scalar.stage[name].eq(value)
                for name, value in last.scalar_of(scalar).items()
            ),
            last_pass.i_scalar.row.error.eq(
                delay(m, frame.error, latency + self._stages.wait, name="error")
            ),
        ]
        if config.id_width:
            ident = self.i.payload.id
            m.d.comb += last_pass.i_scalar.row.id.eq(
                delay(m, ident, Frame.latency + latency + self._stages.wait, name="id")
            )
