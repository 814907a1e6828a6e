"""Finishes the elements of a softmax row: a last stage in every lane."""

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ..parts.pipeline import delay
from ..ports.beats import row_layout
from ..stages.exp import Contents
from ..stages.probability import Logarithm, Probability
from ..targets.generic import GENERIC, Target
from .last_pass import beat_layout, scalar_layout


class FinishElements(wiring.Component):
    """A :class:`Finish` by the last stage of a configuration.

    Args:
        exp: tables that the elements come from. element: layout of those.
    """

    flags = ()

    def __init__(
        self,
        *,
        config: SoftmaxConfig,
        last: Probability | Logarithm,
        exp: Contents,
        element: data.StructLayout,
        target: Target = GENERIC,
    ):
        self._last, self._exp, self._target = last, exp, target
        self.element, self.scalar = element, last.functions.waited_for
        self.width, self.latency = config.output.width, last.latency
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(beat_layout(config, element)),
                "i_scalar": In(scalar_layout(config, self.scalar, self.flags)),
                "o": Out(data.ArrayLayout(self.width, config.lanes)),
                "o_row": Out(row_layout(config, self.flags)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        scalar, row = self.i_scalar.stage, self.i_scalar.row
        for lane, element in enumerate(self.i.elements):
            m.submodules[f"lane{lane}"] = last = self._last.last(self._exp, self._target)
            m.d.comb += [
                *(getattr(last, name).eq(element[name]) for name in self.element.members),
                *(getattr(last, name).eq(scalar[name]) for name in self.scalar.members),
                last.error.eq(row.error),
                self.o[lane].eq(last.o),
            ]
        m.d.comb += self.o_row.eq(delay(m, row, self.latency, name="row"))
        return m
