"""What a technology builds differently: the one place that knows it.

A target changes how a primitive is described, never a bit or a cycle.
"""

from ..parts.long_multiply import LongMultiply
from ..parts.multiply import Multiply
from ..parts.or_add import OrAdd
from ..parts.restart_add import RestartAdd
from ..parts.rom import CaseRom, Rom, RomPair, Table
from ..parts.shift_left import ShiftLeft
from ..parts.two_port import TwoPort


class Target:
    """Portable Verilog: tables are initialised memories, which become block RAM."""

    name = "generic"

    def rom(self, *, entries: list[int], width: int) -> Rom:
        """A table of unsigned entries, see :class:`Rom`."""
        return Rom(entries=entries, width=width)

    def rom_pair(self, a: Table, b: Table) -> RomPair:
        """Two tables that may share a block RAM, see :class:`RomPair`."""
        return RomPair(a, b, rom=self.rom)

    def two_port(self, *, width: int, depth: int) -> TwoPort:
        """A memory, see :class:`TwoPort`."""
        return TwoPort(width=width, depth=depth)

    def multiply(self, *, a_bits: int, b_bits: int, b_signed: bool = False) -> Multiply:
        """A multiplier, see :class:`Multiply`."""
        return Multiply(a_bits=a_bits, b_bits=b_bits, b_signed=b_signed)

    def long_multiply(self, *, a_bits: int, b_bits: int) -> LongMultiply:
        """A multiplier of wide operands, see :class:`LongMultiply`."""
        return LongMultiply(a_bits=a_bits, b_bits=b_bits, multiply=self.multiply)

    def or_add(self, *, widths: tuple[int, int]) -> OrAdd:
        """An adder behind two choices, see :class:`OrAdd`."""
        return OrAdd(widths=widths)

    def restart_add(self, *, width: int, term_bits: int, start: int = 0) -> RestartAdd:
        """The adder of an accumulator, see :class:`RestartAdd`."""
        return RestartAdd(width=width, term_bits=term_bits, start=start)

    def shift_left(self, *, width: int, places_bits: int) -> ShiftLeft:
        """A shifter, see :class:`ShiftLeft`."""
        return ShiftLeft(width=width, places_bits=places_bits)


class CaseRomTarget(Target):
    """Tables are case statements, for technologies without initialised memories (ASIC)."""

    name = "generic, case tables"

    def rom(self, *, entries: list[int], width: int) -> Rom:
        return CaseRom(entries=entries, width=width)


GENERIC = Target()
ROM_STYLES: dict[str, Target] = {"memory": GENERIC, "case": CaseRomTarget()}
