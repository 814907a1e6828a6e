"""Graphs from text: one assignment a line, in an order that has every name before its use.

    # a neuron
    w = 2.0 -3.0                  # a row: numbers with spaces or commas between them
    x : SQ(5, 11) = -1.0, -2.0    # held in a format
    b : input = -3                # held in a configuration's format, where one is given
    f = sigmoid(sum(w * x) + b)

Right of ``=`` stands a row, a number, or an expression of :mod:`.expression`. What stands in the
text as a row or a number is an input; numbers inside expressions are constants. ``2 -3`` is a row,
``2 - 3`` is -1, and ``2,`` is a row of one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from ..formats import Format, parse_format
from ..types import Reals
from .expression import FUNCTIONS, NUMBER, Builder, Built, Refusal
from .graph import Graph, Node

ROLES = ("input", "output", "grad_input", "grad_output", "loss", "loss_grad")
"""Formats of a configuration, by name."""

MAX_NODES = 200
"""Nodes of a graph; a picture of more cannot be read."""

_ASSIGNMENT = re.compile(
    r"\s*(?P<name>[A-Za-z_]\w*)\s*(:(?P<format>[^=]*))?=(?P<value>.*)", re.ASCII
)
_ROW = re.compile(rf"{NUMBER}((\s*,\s*|\s+){NUMBER})*\s*,?", re.ASCII)


def read(text: str, formats: Mapping[str, Format] | None = None) -> Graph:
    """The graph of a text, its values not computed yet.

    Args:
        formats: of the roles, by name. Where they are not given, a role is no format.

    Raises:
        ValueError: anything that is no notation, in a sentence with line, column and rule.
    """
    lines = [line.partition("#")[0].rstrip() for line in text.splitlines()]
    taken = {match["name"] for line in lines if (match := _ASSIGNMENT.match(line))}
    reader = _Reader(taken, formats)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            reader.assign(line, number)
        except Refusal as refusal:
            raise ValueError(
                f"line {number}, column {refusal.column + 1}: {refusal.rule}"
            ) from None
    if not reader.graph.nodes:
        raise ValueError("line 1, column 1: a graph must have at least one line like y = exp(x)")
    return reader.graph


def read_row(text: str) -> Reals:
    """A row of numbers, with spaces or commas between them; a number alone is no row.

    Raises:
        ValueError: anything else, or a number that is not finite.
    """
    if not _ROW.fullmatch(text.strip()):
        raise ValueError(f"must be numbers with commas or spaces between them, not {text!r}")
    values = np.array([float(number) for number in re.split(r"[\s,]+", text.strip()) if number])
    if not np.isfinite(values).all():
        raise ValueError(f"must be finite numbers, not {text!r}")
    return values if values.size > 1 or "," in text else values.reshape(())


def uses_roles(text: str) -> bool:
    """Some name of a text is held in a configuration's format."""
    matches = (_ASSIGNMENT.match(line) for line in text.splitlines())
    return any(match and (match["format"] or "").strip() in ROLES for match in matches)


@dataclass
class _Line:
    """An assignment that was found to be one."""

    name: str
    format: Format | None
    value: str
    offset: int


class _Reader:
    """Reads lines one by one into a graph."""

    def __init__(self, taken: set[str], formats: Mapping[str, Format] | None) -> None:
        self.graph = Graph()
        self.taken, self.formats = taken, formats
        self.known: dict[str, tuple[Node, int]] = {}

    def assign(self, text: str, number: int) -> None:
        """Record what a line assigns."""
        line = self._line(text)
        if _ROW.fullmatch(line.value):
            node = Node(line.name, exact=self._row(line))
        else:
            names = {name: node for name, (node, _) in self.known.items()}
            builder = Builder(line.value, line.offset, names, self._record(number))
            node = builder.named(line.name)
        node.format = line.format
        if node.gate is None:
            self._append(node, number, line.offset)
        self.known[line.name] = node, number

    def _line(self, text: str) -> _Line:
        _require_ascii(text)
        match = _ASSIGNMENT.match(text)
        if match is None:
            raise Refusal(_first(text), "a line must be NAME = VALUE or NAME : FORMAT = VALUE")
        name, column = match["name"], match.start("name")
        if name in FUNCTIONS:
            raise Refusal(column, f"a name must not be that of a function, as {name} is")
        if name in self.known:
            raise Refusal(
                column, f"a name must be assigned once, and {name} is on line {self.known[name][1]}"
            )
        value = match["value"]
        offset = match.start("value") + _first(value)
        if not value.strip():
            raise Refusal(offset, f"{name} must have a value right of =")
        return _Line(name, self._format(match), value.strip(), offset)

    def _format(self, match: re.Match[str]) -> Format | None:
        text = match["format"]
        if text is None:
            return None
        if text.strip() in ROLES:
            return (self.formats or {}).get(text.strip())
        try:
            return parse_format(text.strip())
        except ValueError as error:
            column = match.start("format") + _first(text)
            raise Refusal(column, f"{error} (or be one of {', '.join(ROLES)})") from None

    def _row(self, line: _Line) -> Reals:
        try:
            return read_row(line.value)
        except ValueError as error:
            raise Refusal(line.offset, f"{line.name} {error}") from None

    def _record(self, number: int) -> Callable[[Built], Node]:
        def record(built: Built) -> Node:
            name = built.name or self._free(built.stem)
            node = Node(name, built.gate, built.inputs, named=bool(built.name), exact=built.value)
            return node if node.is_input else self._append(node, number, built.column)

        return record

    def _append(self, node: Node, number: int, column: int) -> Node:
        if len(self.graph.nodes) == MAX_NODES:
            raise Refusal(column, f"a graph must have at most {MAX_NODES} nodes")
        node.where = f"line {number}, column {column + 1}"
        return self.graph.record(node)

    def _free(self, stem: str) -> str:
        """A name that no node has."""
        name = next(name for k in count(1) if (name := f"{stem}_{k}") not in self.taken)
        self.taken.add(name)
        return name


def _require_ascii(text: str) -> None:
    for column, character in enumerate(text):
        if not (" " <= character <= "~" or character == "\t"):
            raise Refusal(column, f"a line must be ASCII before #, without {character!r}")


def _first(text: str) -> int:
    """Column of the first character that is no space."""
    return len(text) - len(text.lstrip())
