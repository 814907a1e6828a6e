"""What a technology builds differently: the one place that knows it.

A target changes how a primitive is described, never a bit or a cycle.
"""

from .rom import CaseRom, Rom


class Target:
    """Portable Verilog: tables are initialised memories, which become block RAM."""

    name = "generic"

    def rom(self, *, entries: list[int], width: int) -> Rom:
        """A table of unsigned entries, see :class:`Rom`."""
        return Rom(entries=entries, width=width)


class CaseRomTarget(Target):
    """Tables are case statements, for technologies without initialised memories (ASIC)."""

    name = "generic, case tables"

    def rom(self, *, entries: list[int], width: int) -> Rom:
        return CaseRom(entries=entries, width=width)


GENERIC = Target()
ROM_STYLES: dict[str, Target] = {"memory": GENERIC, "case": CaseRomTarget()}
