"""What no run reached of a unit's Verilog, and why: the reasons stand in coverage_reasons.toml."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..golden.errors import require

FILE = Path(__file__).parent / "coverage_reasons.toml"


@dataclass(frozen=True, slots=True)
class Missed:
    """Points of one signal, or of one line, that were never reached.

    Attributes:
        kind: ``"line"`` or ``"toggle"``.
        module: the module, without the unit's name; ``"top"`` for the unit itself.
        name: the signal or what it computes; for a line, its text.
        where: which of the signal's bits: ``"all bits"``, ``"top bits"`` up to its highest, ``"low
            bits"`` down to its lowest, or their numbers.
        points: what is missed, as in ``[3] 0->1``, once for every signal of that name.
    """

    kind: str
    module: str
    name: str
    where: str
    points: tuple[str, ...]

    @property
    def bits(self) -> int:
        """How many of the signal's bits are missed."""
        return len({bit_of(point) for point in self.points})

    @property
    def reason(self) -> str:
        """Why it cannot be reached; empty where nothing explains it."""
        return next((reason.why for reason in reasons() if reason.explains(self)), "")


def bit_of(point: str) -> int:
    """The bit that a point is about; 0 of a signal of one bit."""
    found = re.match(r"\[(\d+)\]", point)
    return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why bits never toggle, or a line never runs, as ``kind`` says. ``module`` and ``name`` are
    regular expressions for the whole.

    ``where`` is the place of the bits, or ``"any"``; ``bits``: no more of them than this; ``edge``:
    the only edge that may be missed, if not both.
    """

    module: str
    name: str
    why: str
    where: str = "top bits"
    bits: int = 1
    edge: str = ""
    kind: str = "toggle"

    def explains(self, missed: Missed) -> bool:
        """Whether the reason is about what was missed."""
        return (
            missed.kind == self.kind
            and re.fullmatch(self.module, missed.module) is not None
            and re.fullmatch(self.name, missed.name) is not None
            and self.where in ("any", missed.where)
            and missed.bits <= self.bits
            and all(point.endswith(self.edge) for point in missed.points)
        )


@cache
def reasons() -> tuple[Reason, ...]:
    """The reasons of this package's file; the first that explains a signal counts."""
    return parse_reasons(FILE.read_text())


def parse_reasons(text: str) -> tuple[Reason, ...]:
    """The reasons that a TOML text holds, in its order.

    Raises:
        ConfigError: an entry that is no reason; the sentence has its number, from 1.
    """
    entries = tomllib.loads(text)["reason"]
    return tuple(_reason(f"reason {number}", entry) for number, entry in enumerate(entries, 1))


def _reason(label: str, entry: dict[str, Any]) -> Reason:
    missing, unknown = _NEEDED - entry.keys(), entry.keys() - _RULES.keys()
    require(not missing, f"{label} must have {', '.join(sorted(missing))}")
    require(not unknown, f"{label} must have no {', '.join(sorted(unknown))}")
    for name, value in entry.items():
        rule, holds = _RULES[name]
        require(holds(value), f"{name} of {label} must be {rule}, not {value!r}")
    return Reason(**entry)


def _is_expression(value: object) -> bool:
    try:
        return isinstance(value, str) and re.compile(value) is not None
    except re.error:
        return False


def _is_place(value: object) -> bool:
    places = r"any|(all|top|low) bits|bits \d+(, \d+)*"
    return isinstance(value, str) and re.fullmatch(places, value) is not None


_NEEDED = {"module", "name", "why"}
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "module": ("a regular expression", _is_expression),
    "name": ("a regular expression", _is_expression),
    "why": ("a text", lambda value: isinstance(value, str) and value.strip() != ""),
    "where": ("any, all bits, top bits, low bits, or as in bits 1, 2", _is_place),
    "bits": ("a whole number from 1", lambda value: type(value) is int and value >= 1),
    "kind": ("toggle or line", lambda value: value in ("toggle", "line")),
    "edge": ("0->1 or 1->0", lambda value: value in ("0->1", "1->0")),
}
