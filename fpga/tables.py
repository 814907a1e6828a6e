"""The tables that a Verilog file holds, against those that its configuration has.

A wrong bit of a table can stay unseen in a simulation: its entry may not be read, or rounding may
hide it. So the tables are compared themselves.
"""

import re

from ..sim.sidecar import Unit
from .export import verilog_of

Place = tuple[str, str, int]
"""(module without the unit's name, table, address)."""

_MEMORY = re.compile(r"^ *(\w+)\[(\d+)\] = (\d+'h[0-9a-f]+);", re.MULTILINE)
_CASE = re.compile(r"^ *(\d+'h[0-9a-f]+|default):\s*(\\?\S+) +<?= (\d+'h[0-9a-f]+);", re.MULTILINE)
_BLOCK = re.compile(r"\.(INITVAL|INITP?)_([0-9A-F]{2})\((\d+'h[0-9a-f]+)\)")
DEFAULT = -1
"""Address of what a case statement gives for all others."""


def tables_of(text: str, top: str) -> dict[Place, int]:
    """Every entry of every memory, case statement and block RAM with contents."""
    found: dict[Place, int] = {}
    for module in re.split(r"^(?=module )", text, flags=re.MULTILINE)[1:]:
        name = module[len("module ") : module.index("(")].strip().removeprefix(top)
        for table, address, value in _MEMORY.findall(module):
            found[name, table, int(address)] = _number(value)
        for address, table, value in _CASE.findall(module):
            place = DEFAULT if address == "default" else _number(address)
            found[name, f"case of {table}", place] = _number(value)
        for block, instance in enumerate(re.split(r"^ {2}\w+ #\(", module, flags=re.MULTILINE)):
            for kind, row, value in _BLOCK.findall(instance):
                part = " parity" if kind == "INITP" else ""
                found[name, f"block RAM {block}{part}", int(row, 16)] = _number(value)
    return found


def table_differences(unit: Unit) -> list[str]:
    """How the tables in a unit's file differ from those of its configuration, a sentence each."""
    description = unit.description
    gold = tables_of(
        verilog_of(
            unit.config,
            unit=unit.name,
            name=unit.top,
            rom=description["rom"],
            target=description["target"],
            init=description.get("init", "reset"),  # there is none in an older sidecar
        ),
        unit.top,
    )
    gate = tables_of(unit.verilog.read_text(), unit.top)
    wrong: dict[tuple[str, str], list[int]] = {}
    for place in sorted(gold.keys() | gate.keys()):
        if gold.get(place) != gate.get(place):
            wrong.setdefault(place[:2], []).append(place[2])
    return [
        f"table {table} of {unit.top}{module}: {len(places):,} entries differ, the first at "
        f"address {places[0]}: gold {_shown(gold.get((module, table, places[0])))}, "
        f"gate {_shown(gate.get((module, table, places[0])))}"
        for (module, table), places in wrong.items()
    ]


def _number(literal: str) -> int:
    return int(literal.split("'h")[1], 16)


def _shown(value: int | None) -> str:
    return "none" if value is None else f"{value:#x}"
