"""The exponent that a row's results share, a row at a time."""

from dataclasses import dataclass

from amaranth.hdl import Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.exp import exp_table
from ..parts.pipeline import delay, register
from ..targets.generic import GENERIC, Target
from .exp import Contents, contents_of


@dataclass(frozen=True, eq=False)
class Largest:
    """exp of a row's largest element, as the first table has it.

    Attributes:
        contents: of the tables. guard: bits of an entry that a mantissa has not.
        fraction: bits of a mantissa behind its leading one. exponent_bits: of a row's exponent.
    """

    contents: Contents
    guard: int
    fraction: int
    exponent_bits: int

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Largest":
        golden = exp_table(config)
        return cls(
            contents_of(config), golden.guard, golden.mantissa_bits - 1, config.exponent_bits
        )

    @property
    def address_bits(self) -> int:
        """Width of the element's address; 0 where every row's largest term is 1."""
        return self.contents.bits[0] if self.contents.from_code else 0

    @property
    def entries(self) -> list[int]:
        """By address, the place of the leading one and the mantissa behind it."""
        ones = (1 << self.fraction) - 1
        table = zip(self.contents.exponent, self.contents.high, strict=True)
        return [place << self.fraction | high >> self.guard & ones for place, high in table]


class RowExponent(wiring.Component):
    """The twin of :class:`golden.stages.row_exponent.RowExponent`.

    Latency 5 cycles, one row per cycle.

    Members:
        address: of the row's largest element, :class:`Rom` cycles before the others.
        q, s: of its sum, see :class:`LeadingOne`.
        exponent: the row's. o_q: q less it: what the row's products move by.
    """

    latency = 5

    def __init__(self, *, largest: Largest, q_bits: int, s_bits: int, target: Target = GENERIC):
        self._largest, self._target = largest, target
        super().__init__(
            {
                "address": In(max(largest.address_bits, 1)),
                "q": In(q_bits),
                "s": In(s_bits),
                "exponent": Out(largest.exponent_bits),
                "o_q": Out(q_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        place, mantissa = self._read(m)
        fine = max(len(self.s), len(mantissa))
        s = self.s << (fine - len(self.s))
        above = register(m, ~(mantissa << (fine - len(mantissa)) < s), name="above")
        apart = register(m, self.q - place, name="apart")
        exponent = register(m, apart + self._largest.contents.offset - above, name="exponent")
        exponent = exponent.as_signed()
        kept = register(m, Mux(exponent < 0, 0, exponent), name="kept")[: len(self.exponent)]
        rest = delay(m, self.q, 3, name="q") - kept
        late = self.latency - 3
        m.d.comb += [
            self.exponent.eq(delay(m, kept, late, name="late_exponent")),
            self.o_q.eq(delay(m, rest[: len(self.q)], late, name="o_q")),
        ]
        return m

    def _read(self, m: Module) -> tuple[Value, Value]:
        """Place and mantissa of the largest element's exp."""
        largest = self._largest
        if not largest.address_bits:
            return Const(0, 1), Const(0, 1)
        m.submodules.rom = rom = self._target.rom(
            entries=largest.entries, width=largest.fraction + largest.contents.exponent_bits
        )
        m.d.comb += rom.i.eq(self.address)
        return rom.o[largest.fraction :], rom.o[: largest.fraction]
