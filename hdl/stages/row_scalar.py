"""What all elements of a row wait for: functions of the row's sum."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import leading_zeros, lowest_exponent, row_sum
from ...golden.stages.ln import LnTable
from ...golden.stages.reciprocal import ReciprocalTable
from ...golden.stages.window import LIMB_BITS
from ..parts.pipeline import delay
from ..parts.rom import Rom
from ..targets.generic import GENERIC, Target
from .leading_one import LeadingOne
from .ln import Ln
from .reciprocal import Reciprocal
from .row_exponent import Largest, RowExponent
from .window import FINE, top_bits


def sum_layout(config: SoftmaxConfig) -> data.StructLayout:
    """A row's sum: ``code``, and ``top`` where it is a window's, see :class:`Window`."""
    golden = row_sum(config)
    top = {"top": top_bits(golden)} if config.path.window else {}
    return data.StructLayout({"code": golden.sum_bits, **top})


@dataclass(frozen=True, eq=False)
class SumFunctions:
    """Which functions of a row's sum there are.

    Attributes:
        sum: layout of the sum, see :func:`sum_layout`. lowest: the least place of its leading one.
        q_bits: width of the sum's exponent.
        reciprocal, ln: their tables, or None. ln_offset: what is added to the logarithm.
        largest: where rows have an exponent.
    """

    sum: data.StructLayout
    lowest: int
    q_bits: int
    reciprocal: ReciprocalTable | None = None
    largest: Largest | None = None
    ln: LnTable | None = None
    ln_offset: int = 0

    @classmethod
    def of(cls, config: SoftmaxConfig, **functions: Any) -> "SumFunctions":
        """Functions of a configuration's sums; arguments as the attributes are."""
        layout = sum_layout(config)
        code = layout.members["code"]
        if config.path.window:
            largest = row_sum(config).largest_place
            # a mantissa starts in limb T, the sum's second
            lowest = LIMB_BITS + config.widths.mantissa_bits - 1 - leading_zeros(config)
            q_bits = (code - lowest + (largest >> FINE << FINE)).bit_length()
        else:
            lowest = config.widths.sum_fraction + lowest_exponent(config)
            q_bits = LeadingOne.q_bits(code, lowest)
        largest = Largest.of(config) if config.has_exponent else None
        return cls(layout, lowest, q_bits, largest=largest, **functions)

    @property
    def layout(self) -> data.StructLayout:
        """What elements wait for, and ``row_exponent`` where rows have one."""
        fields = dict(self.waited_for.members)
        if self.largest is not None:
            fields["row_exponent"] = self.largest.exponent_bits
        return data.StructLayout(fields)

    @property
    def waited_for(self) -> data.StructLayout:
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
        return self.leading_one_latency + self.last_latency

    @property
    def leading_one_latency(self) -> int:
        """Cycles from a sum to its leading one."""
        return LeadingOne.latency_of(self.sum.members["code"], self.lowest)

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
        i: a row's sum. largest: the address of its largest element, where rows have an exponent and
            terms are not relative to it.
        o: its functions, see :attr:`SumFunctions.layout`.
    """

    def __init__(self, functions: SumFunctions, target: Target = GENERIC):
        self._functions, self._target = functions, target
        self.latency = functions.latency
        largest = functions.largest
        address = {"largest": In(largest.address_bits)} if largest and largest.address_bits else {}
        super().__init__({"i": In(functions.sum), **address, "o": Out(functions.layout)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        functions = self._functions
        parts = functions.parts(self._target)
        m.submodules.leading_one = leading_one = LeadingOne(
            sum_bits=len(self.i.code),
            lowest=functions.lowest,
            kept=max(len(part.s) for part in parts),
        )
        m.d.comb += leading_one.i.eq(self.i.code)
        q = leading_one.q
        if "top" in functions.sum.members:
            top = delay(m, self.i.top, functions.leading_one_latency, name="top")
            q = Cat(q[:FINE], q[FINE:] + top)[: functions.q_bits]
        for part in parts:
            m.submodules[type(part).__name__.lower()] = part
            m.d.comb += [part.s.eq(leading_one.s[-len(part.s) :]), part.q.eq(q)]
            early = functions.last_latency - part.latency
            for name in part.o.shape().members:
                m.d.comb += self.o[name].eq(delay(m, part.o[name], early, name=f"late_{name}"))
        if functions.largest is not None:
            self._give_exponent(m, functions.largest, q, leading_one.s)
        return m

    def _give_exponent(self, m: Module, largest: Largest, q: Value, s: Value) -> None:
        """The exponent, by which the products with the reciprocal move less."""
        functions = self._functions
        assert functions.reciprocal is not None, "an exponent is one of probabilities"
        s = Value.cast(s[-functions.reciprocal.kept :])
        m.submodules.exponent = exponent = RowExponent(
            largest=largest, q_bits=functions.q_bits, s_bits=len(s), target=self._target
        )
        before = functions.leading_one_latency - Rom.latency
        if largest.address_bits:
            m.d.comb += exponent.address.eq(delay(m, self.largest, max(before, 0), name="largest"))
        late = max(-before, 0)
        wait = functions.last_latency - late - exponent.latency
        m.d.comb += [
            exponent.q.eq(delay(m, q, late, name="exponent_q")),
            exponent.s.eq(delay(m, s, late, name="exponent_s")),
            self.o.q.eq(delay(m, exponent.o_q, wait, name="moved_q")),
            self.o.row_exponent.eq(delay(m, exponent.exponent, wait, name="row_exponent")),
        ]
