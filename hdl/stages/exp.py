"""exp(-scale * u) as a mantissa and an exponent."""

from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...golden.config import SoftmaxConfig
from ...golden.stages.accumulate import lowest_exponent
from ...golden.stages.exp import ExpTable, exp_table
from ..parts.long_multiply import LongMultiply
from ..parts.pipeline import delay, register
from ..parts.rom import Rom
from ..parts.staircase import Staircase, logic_bits
from ..targets.generic import GENERIC, Target


@dataclass(frozen=True, eq=False)
class Contents:
    """The tables of a golden exp stage by address, and what the exponent beside a mantissa means.

    Attributes:
        bits: address bits of each table, most significant field first.
        high, exponent: first table, and what goes with a mantissa.
        low: the further tables.
        exponent_bits: width of the exponent.
        offset: places that a product with the reciprocal moves down beyond :meth:`amount`.
        from_code: the address is an element's code.
    """

    bits: tuple[int, ...]
    high: list[int]
    exponent: list[int]
    low: list[list[int]]
    exponent_bits: int
    offset: int
    from_code: ClassVar[bool]

    def amount(self, exponent: Value, q: Value) -> Value:
        """Places that the product with a reciprocal of exponent ``q`` moves down."""
        raise NotImplementedError


class ByDifference(Contents):
    """The address is the difference max - x; the exponent is the shift."""

    from_code = False

    @classmethod
    def of(cls, golden: ExpTable) -> "ByDifference":
        return cls(
            bits=golden.split,
            high=golden.high.tolist(),
            exponent=golden.shift.tolist(),
            low=[low.entries.tolist() for low in golden.low],
            exponent_bits=golden.shift_bits,
            offset=0,
        )

    def amount(self, exponent: Value, q: Value) -> Value:
        return exponent + q


class ByLogit(Contents):
    """The address is the clipped logit x itself; the exponent is the place: 2**place is the weight
    of the mantissa's LSB in the exact sum's.

    The distance top - x has x's fields, the low ones inverted, the highest subtracted from top's:
    the same tables in another order.
    """

    from_code = True

    @classmethod
    def of(cls, golden: ExpTable, config: SoftmaxConfig) -> "ByLogit":
        low_bits = golden.split[1:]
        places = sum(low_bits)
        bits = max(max(config.highest, ~config.lowest).bit_length() + 1 - places, 1)
        highest = config.highest >> places
        largest = config.path.largest_shift
        at = [highest - (a - (1 << bits) if a >> (bits - 1) else a) for a in range(1 << bits)]
        last = len(golden.high) - 1
        inside = [min(max(h, 0), last) for h in at]  # those beyond are never read
        return cls(
            bits=(bits, *low_bits),
            high=[int(golden.high[h]) for h in inside],
            exponent=[largest - int(golden.shift[h]) for h in inside],
            low=[low.entries[::-1].tolist() for low in golden.low],
            exponent_bits=max(largest.bit_length(), 2),
            offset=largest + lowest_exponent(config),
        )

    def amount(self, exponent: Value, q: Value) -> Value:
        # an element's own term is part of its row's sum: never negative where it takes part
        return (q - exponent)[: len(q)]


def contents_of(config: SoftmaxConfig) -> Contents:
    """The contents of a configuration."""
    golden = exp_table(config)
    if config.path.origin is None:
        return ByDifference.of(golden)
    return ByLogit.of(golden, config)


class Exp(wiring.Component):
    """The twin of :class:`golden.stages.exp.ExpTable`, whose contents it holds.

    Latency :meth:`latency_of` cycles: 3 for one table, else 2 and 6 for every further one, or 8
    where mantissa or entry is too wide for one multiplier; one element per cycle.

    Members:
        i: the address, see :class:`Contents`.
        mantissa, exponent: exp, as the contents mean it.
        next_exponent: the exponent, a cycle ahead.
        early_exponent: the exponent, :meth:`ahead_of` cycles ahead.
    """

    PORT_BITS = 18
    """Width of a port of common block RAMs: what fits in it is not spread over several."""
    LOGIC_BITS = 900
    """Largest table of exponents that is made of logic."""

    def __init__(self, *, golden: ExpTable, contents: Contents, target: Target = GENERIC):
        self._golden, self._contents, self._target = golden, contents, target
        super().__init__(
            {
                "i": In(sum(contents.bits)),
                "mantissa": Out(golden.mantissa_bits),
                "exponent": Out(contents.exponent_bits),
                "next_exponent": Out(contents.exponent_bits),
                "early_exponent": Out(contents.exponent_bits),
            }
        )

    @classmethod
    def latency_of(cls, golden: ExpTable) -> int:
        """Latency in cycles."""
        shares = [cls.share_latency(golden, j) for j in range(len(golden.low))]
        return Rom.latency + (sum(shares) or 1)

    @staticmethod
    def share_latency(golden: ExpTable, j: int) -> int:
        """Cycles in which the running mantissa loses the share of a further table. Block RAM and
        multiplier lie far apart on a device: a register before it and one after it share the
        way."""
        return LongMultiply.latency_of(golden.mantissa_bits, golden.low[j].width) + 3

    @classmethod
    def ahead_of(cls, golden: ExpTable, contents: Contents) -> int:
        """Cycles by which an exponent is known before its mantissa."""
        read = Rom.latency if cls._one_table(golden, contents) else Staircase.latency
        return cls.latency_of(golden) - read

    @classmethod
    def _one_table(cls, golden: ExpTable, contents: Contents) -> bool:
        """Whether exponents lie beside the first table's mantissas, not in logic: where there is
        one table, where the port has room, or where the logic would be large."""
        if not golden.low or not _all_lead(golden, contents):
            return True
        if golden.bits - 1 + contents.exponent_bits <= cls.PORT_BITS:
            return True
        return logic_bits(contents.exponent, contents.exponent_bits) > cls.LOGIC_BITS

    def elaborate(self, platform: object) -> Module:
        m = Module()
        golden, contents = self._golden, self._contents
        fields, rest = [], self.i
        for bits in contents.bits[:0:-1]:
            fields.insert(0, rest[:bits])
            rest = rest[bits:]
        accumulator, exponent, first_low = self._read_first(m, rest, fields)

        waited = 0
        for j, low in enumerate(golden.low):
            if j == 0 and first_low is not None:
                entry = first_low
            else:
                rom = self._target.rom(entries=contents.low[j], width=low.width)
                m.submodules[f"low{j}"] = rom
                m.d.comb += rom.i.eq(delay(m, fields[j], waited, name=f"field{j}"))
                entry = rom.o
            accumulator = self._lose_share(m, accumulator, entry, low.fraction, j)
            waited += self.share_latency(golden, j)
        if not golden.low:
            accumulator = register(m, accumulator, name="mantissa")
        m.d.comb += [
            self.mantissa.eq(accumulator[golden.guard :]),
            self.next_exponent.eq(exponent),
            self.exponent.eq(register(m, exponent, name="exponent")),
        ]
        return m

    def _read_first(
        self, m: Module, address: Value, fields: list[Value]
    ) -> tuple[Value, Value, Value | None]:
        """The first table's mantissa, the exponent a cycle before the result, and the entry of the
        second table where it is read beside the first one."""
        golden, contents = self._golden, self._contents
        # a leading one that all entries have need not be stored
        leading = _all_lead(golden, contents)
        stored = golden.bits - leading
        entries = [entry & ((1 << stored) - 1) for entry in contents.high]
        both = stored + contents.exponent_bits
        if self._one_table(golden, contents):
            rom = self._target.rom(
                entries=[
                    exponent << stored | entry
                    for entry, exponent in zip(entries, contents.exponent, strict=True)
                ],
                width=both,
            )
            m.submodules.high = rom
            m.d.comb += rom.i.eq(address)
            mantissa, second = rom.o[:stored], None
            exponent, waited = rom.o[stored:], rom.latency
        else:
            m.submodules.exponents = exponents = Staircase(
                entries=contents.exponent, width=contents.exponent_bits
            )
            low = golden.low[0]
            m.submodules.tables = tables = self._target.rom_pair(
                (entries, stored), (contents.low[0], low.width)
            )
            m.d.comb += [
                exponents.i.eq(address),
                tables.i_a.eq(address),
                tables.i_b.eq(fields[0]),
            ]
            mantissa, second = tables.o_a, tables.o_b
            exponent, waited = exponents.o, exponents.latency
        m.d.comb += self.early_exponent.eq(exponent)
        exponent = delay(m, exponent, self.latency_of(golden) - 1 - waited, name="exponent")
        return Cat(mantissa, Const(1, 1)) if leading else mantissa, exponent, second

    def _lose_share(
        self, m: Module, accumulator: Value, entry: Value, fraction: int, j: int
    ) -> Value:
        """The running mantissa less the share that a further table's entry names."""
        guard = self._golden.guard
        m.submodules[f"share{j}"] = share = self._target.long_multiply(
            a_bits=len(accumulator) - guard, b_bits=len(entry)
        )
        accumulator = register(m, accumulator, name=f"running{j}")
        m.d.comb += [
            share.a.eq(accumulator[guard:]),
            share.b.eq(register(m, entry, name=f"entry{j}")),
        ]
        lost = register(m, share.o >> (fraction - guard), name=f"lost{j}")
        kept = delay(m, accumulator, share.latency + 1, name=f"kept{j}")
        rest = kept - lost
        return register(m, rest[: len(accumulator)], name=f"rest{j}")


def _all_lead(golden: ExpTable, contents: Contents) -> bool:
    """Whether all entries of the first table have a leading one."""
    return all(entry >> (golden.bits - 1) for entry in contents.high)
