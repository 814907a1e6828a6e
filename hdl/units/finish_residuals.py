"""Finishes the elements of a cross-entropy row: p - y in every lane."""

from amaranth.hdl import Const, Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.residual import residual_stage
from ..parts.pipeline import delay, register
from ..ports.beats import row_layout
from ..stages.exp import Contents
from ..stages.exponentials import element_layout
from ..stages.residual import Residual
from ..targets.generic import GENERIC, Target
from .last_pass import beat_layout, scalar_layout


class FinishResiduals(wiring.Component):
    """A :class:`Finish` by :class:`Residual`.

    The scalar names the target's place, and its lane; rows without a loss have it in no lane.

    Args:
        exp: tables that the elements come from.
        q_bits: of the reciprocal's exponent. places: of the row buffer.

    Members: those of a :class:`Finish`, and i_place: where the beat was kept.
    """

    fields = ("mantissa", "exponent", "active")
    flags = ("ignored",)

    def __init__(
        self,
        *,
        config: SoftmaxConfig,
        exp: Contents,
        q_bits: int,
        places: int,
        target: Target = GENERIC,
    ):
        self._config, self._exp, self._target = config, exp, target
        self._golden = golden = residual_stage(config)
        self.latency = self.latency_of(config)
        self.element, self.width = element_layout(config, exp, self.fields), golden.output.width
        self.scalar = data.StructLayout(
            {
                "r": golden.reciprocal.bits,
                "q": q_bits,
                "place": range(places),
                "lanes": config.lanes,
            }
        )
        super().__init__(
            {
                "i_valid": In(1),
                "i_last": In(1),
                "i": In(beat_layout(config, self.element)),
                "i_scalar": In(scalar_layout(config, self.scalar, self.flags)),
                "i_place": In(range(places)),
                "o": Out(data.ArrayLayout(self.width, config.lanes)),
                "o_row": Out(row_layout(config, self.flags)),
            }
        )

    @staticmethod
    def latency_of(config: SoftmaxConfig) -> int:
        """Latency in cycles."""
        return Residual.latency_of(residual_stage(config).normalize)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        scalar, row = self.i_scalar.stage, self.i_scalar.row
        here = register(m, self.i_place == scalar.place, name="here")
        one = self._one(m, row)
        nothing = row.error | row.ignored
        drops = self._config.clip_gradient == "zero"
        for lane, element in enumerate(self.i.elements):
            dropped = self.i.tag.clipped[lane] if drops else 0
            chosen = register(m, scalar.lanes[lane] & ~dropped, name=f"chosen{lane}")
            m.submodules[f"lane{lane}"] = last = Residual(
                golden=self._golden.normalize,
                exp=self._exp,
                q_bits=len(scalar.q),
                most_exponent=self._config.most_exponent,
                target=self._target,
            )
            if self._config.most_exponent:
                m.d.comb += last.one.eq(one)
            m.d.comb += [
                last.mantissa.eq(element.mantissa),
                last.exponent.eq(element.exponent),
                last.r.eq(scalar.r),
                last.q.eq(scalar.q),
                last.active.eq(element.active & ~nothing & ~dropped),
                last.target.eq(here & chosen),
                self.o[lane].eq(last.o),
            ]
        m.d.comb += self.o_row.eq(delay(m, row, self.latency, name="row"))
        return m

    def _one(self, m: Module, row: data.View) -> Value:
        """2**exponent of the row, when :class:`Residual` wants it; nothing where rows have none."""
        most = self._config.most_exponent
        if not most:
            return Const(0, 0)
        wait = 1 + Residual.one_later(self._golden.normalize)
        return delay(m, (Const(1) << row.exponent)[: most + 1], wait, name="one")
