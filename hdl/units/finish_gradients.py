"""Finishes the elements of a gradient row, and tells whether any so far in it was saturated."""

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.units.softmax_backward import SEED_BITS, backward_stage
from ..parts.pipeline import delay, register
from ..ports.beats import row_layout
from ..stages.dither import Dither
from ..stages.gradient import Gradient
from ..targets.generic import GENERIC, Target
from .last_pass import beat_layout, scalar_layout


class FinishGradients(wiring.Component):
    """A :class:`Finish`: dS = P (dP - D) in every lane.

    Members: those of a :class:`Finish`, and seed: of stochastic rounding.
    """

    flags = ("saturated",)
    latency = Gradient.latency

    def __init__(self, *, config: SoftmaxConfig, target: Target = GENERIC):
        self._config, self._target = config, target
        self._golden = golden = backward_stage(config)
        p, dp = golden.dot.p, golden.dot.dp
        self.element = data.StructLayout({"p": p.width, "dp": signed(dp.width)})
        self.scalar = data.StructLayout({"d": signed(golden.dot.output.width)})
        self.width = golden.output.width
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(beat_layout(config, self.element)),
                "i_scalar": In(scalar_layout(config, self.scalar, self.flags)),
                "seed": In(SEED_BITS),
                "o": Out(data.ArrayLayout(self.width, config.lanes)),
                "o_row": Out(row_layout(config, self.flags)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        scalar, bits = self.i_scalar, self._random_bits(m)
        next_saturated = Signal(self._config.lanes)
        for lane, element in enumerate(self.i.elements):
            m.submodules[f"lane{lane}"] = last = Gradient(golden=self._golden, target=self._target)
            m.d.comb += [
                last.p.eq(element.p),
                last.dp.eq(element.dp),
                last.d.eq(scalar.stage.d),
                last.active.eq(~scalar.row.error),
                last.bits.eq(bits[lane]),
                self.o[lane].eq(last.o),
                next_saturated[lane].eq(last.next_saturated),
            ]
        self._tell_row(m, register(m, next_saturated.any(), name="beat_saturated"))
        return m

    def _random_bits(self, m: Module) -> list[Value]:
        """For every lane, when :class:`Gradient` wants them; none where they are not used."""
        lanes = range(self._config.lanes)
        if self._golden.rounding == "nearest":
            return [Value.cast(0) for _ in lanes]
        m.submodules.dither = dither = Dither(lanes=len(lanes), bits=self._golden.drop)
        m.d.comb += [
            dither.seed.eq(self.seed),
            dither.i_valid.eq(self.i_valid),
            dither.i_last.eq(self.i_valid & self.i_last),
        ]
        wait = Gradient.BITS_LATER - Dither.latency
        return [delay(m, dither.o[lane], wait, name=f"bits{lane}") for lane in lanes]

    def _tell_row(self, m: Module, of_beat: Value) -> None:
        """What the row's scalar tells, and whether an element was saturated so far."""
        row, latency = self.i_scalar.row, self.latency
        valid = delay(m, self.i_valid, latency, name="row_valid", reset=True)
        last = delay(m, self.i_last, latency, name="row_last")
        of_row = delay(m, row.saturated & ~row.error, latency, name="row_saturated")
        earlier = Signal()  # an earlier beat of the row was saturated
        so_far = earlier | of_beat
        with m.If(valid):
            m.d.sync += earlier.eq(so_far & ~last)
        m.d.comb += [
            self.o_row.eq(delay(m, row, latency, name="row")),
            self.o_row.saturated.eq(of_row | so_far),
        ]
