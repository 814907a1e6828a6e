"""What all elements of a row wait for: functions of the row's sum."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import Accumulate, lowest_exponent
from ...golden.stages.ln import LnTable
from ...golden.stages.reciprocal import ReciprocalTable
from ..parts.pipeline import delay
from ..targets.generic import GENERIC, Target
from .leading_one import LeadingOne
from .ln import Ln
from .reciprocal import Reciprocal


@dataclass(frozen=True, eq=False)
class SumFunctions:
    """Which functions of a row's sum there are.

    Attributes:
        sum_bits: width of the sum. lowest: the least place of its leading one.
        reciprocal, ln: their tables, or None. ln_offset: what is added to the logarithm.
    """

    sum_bits: int
    lowest: int
    reciprocal: ReciprocalTable | None = None
    ln: LnTable | None = None
    ln_offset: int = 0

    @classmethod
    def of(cls, config: SoftmaxConfig, **functions: Any) -> "SumFunctions":
        """Functions of a configuration's sums; arguments as the attributes are."""
        accumulate = Accumulate.of(config)
        lowest = accumulate.fraction + lowest_exponent(config)
        return cls(accumulate.sum_bits, lowest, **functions)

    @property
    def q_bits(self) -> int:
        """Width of the sum's exponent."""
        return LeadingOne.q_bits(self.sum_bits, self.lowest)

    @property
    def layout(self) -> data.StructLayout:
        """``r`` and ``q`` of the reciprocal, ``ln``."""
        fields: dict[str, Any] = {}
        if self.reciprocal is not None:
            fields |= Reciprocal.fields(self.reciprocal, self.q_bits)
        if self.ln is not None:
            fields |= Ln.fields(self.ln, self.ln_offset)
        return data.StructLayout(fields)

    @property
    def latency(self) -> int:
        """Cycles from a sum to its functions, which come at the same time."""
        return LeadingOne.latency_of(self.sum_bits, self.lowest) + self.last_latency

    @property
    def last_latency(self) -> int:
        """Cycles from the sum's leading one."""
        return Reciprocal.latency if self.ln is None else Ln.latency

    def parts(self, target: Target) -> list[Reciprocal | Ln]:
        """A component for every function."""
        parts: list[Reciprocal | Ln] = []
        if self.reciprocal is not None:
            parts += [Reciprocal(golden=self.reciprocal, q_bits=self.q_bits, target=target)]
        if self.ln is not None:
            offset = self.ln_offset
            parts += [Ln(golden=self.ln, q_bits=self.q_bits, offset=offset, target=target)]
        return parts


class RowScalar(wiring.Component):
    """Functions of a sum that share its leading one.

    Latency ``functions.latency`` cycles, one sum per cycle.

    Members:
        i: a row's sum.
        o: its functions, see :attr:`SumFunctions.layout`.
    """

    def __init__(self, functions: SumFunctions, target: Target = GENERIC):
        self._functions, self._target = functions, target
        super().__init__({"i": In(functions.sum_bits), "o": Out(functions.layout)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        functions = self._functions
        parts = functions.parts(self._target)
        m.submodules.leading_one = leading_one = LeadingOne(
            sum_bits=functions.sum_bits,
            lowest=functions.lowest,
            kept=max(len(part.s) for part in parts),
        )
        m.d.comb += leading_one.i.eq(self.i)
        for part in parts:
            m.submodules[type(part).__name__.lower()] = part
            m.d.comb += [part.s.eq(leading_one.s[-len(part.s) :]), part.q.eq(leading_one.q)]
            early = functions.last_latency - part.latency
            for name in part.o.shape().members:
                m.d.comb += self.o[name].eq(delay(m, part.o[name], early, name=f"late_{name}"))
        return m
