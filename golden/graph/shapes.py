"""What is drawn of a node, and how large: its box, and the labels of its edges."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .arithmetic import Copy, Negate
from .gate import Infix
from .graph import Graph, Node
from .labels import MINUS, decimal, difference_lines, gradient_lines, value_lines
from .layout import Kind, Size

LINE, SMALL_LINE = 15.0, 12.0
"""Heights of a line of 13 and of 10 or 11 pixels."""

CHARACTER, SMALL_CHARACTER, SYMBOL_CHARACTER = 7.9, 6.3, 9.9
"""Widths of a character of 13, of 10 or 11 and of 16 pixels."""

ROOM = 20.0
"""From the outermost edge of a box to its end."""

SYMBOLS = {"-": MINUS, "*": "\N{MULTIPLICATION SIGN}", "/": "\N{DIVISION SIGN}"}


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at an edge: values and differences above it, gradients below."""

    values: Sequence[str]
    differences: Sequence[str]
    gradients: Sequence[str]

    @property
    def numbers(self) -> float:
        """Width of the numbers."""
        return text_width(*self.values, *self.gradients)

    @property
    def width(self) -> float:
        """Width with the differences beside the values."""
        beside = 5 + SMALL_CHARACTER * max(map(len, self.differences)) if self.differences else 0
        return self.numbers + beside


class Shapes:
    """The shapes of a graph's nodes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        finite = [np.abs(node.gradient)[np.isfinite(node.gradient)] for node in graph.nodes]
        self.largest = max((float(part.max()) for part in finite if part.size), default=0.0)

    def label(self, node: Node, k: int) -> Label:
        """Of the edge into a gate's input ``k``."""
        source = node.inputs[k]
        gradients = [] if source.constant else gradient_lines(node.downstream[k], self.largest)
        if source.constant:
            return Label([], [], [])  # the box says it
        return Label(value_lines(source.value), difference_lines(source.difference), gradients)

    def end_label(self, node: Node) -> Label:
        """Of the edge out of an output."""
        return Label(
            value_lines(node.value),
            difference_lines(node.difference),
            gradient_lines(node.gradient, self.largest),
        )

    def total(self, node: Node) -> list[str]:
        """The gradient of a node that is the sum over several edges; none for others."""
        if node.constant or self.graph.uses(node) < 2:
            return []
        return gradient_lines(node.gradient, self.largest)

    def size(self, node: Node, kind: Kind) -> Size:
        """The room that a node takes, its labels included."""
        if kind == "end":
            above, below = _heights(self.end_label(node))
            return Size(max(above, 10.0), max(below, 10.0), (0.0,))
        heights = [_heights(self.label(node, k)) for k in range(len(node.inputs))]
        ports = _ports(heights)
        half = self.half(node, ports)
        name = SMALL_LINE + 4 if node.named and node.gate is not None else 0.0
        total = SMALL_LINE * len(self.total(node)) + 6
        above = [half + name, *(up - port for (up, _), port in zip(heights, ports, strict=True))]
        below = [half + total, *(lo + port for (_, lo), port in zip(heights, ports, strict=True))]
        return Size(max(above), max(below), ports)

    def half(self, node: Node, ports: tuple[float, ...]) -> float:
        """Half the height of a box."""
        content = 13 + 6 * len(format_lines(node))
        return max(content, ports[-1] + ROOM) if ports else max(content, 15.0)

    def width(self, node: Node) -> float:
        """Width of a box."""
        letter = CHARACTER if node.gate is None else SYMBOL_CHARACTER
        formats = [SMALL_CHARACTER * len(line) + 10 for line in format_lines(node)]
        return max(letter * len(symbol(node)) + 18, 2 * ROOM, *formats)


def symbol(node: Node) -> str:
    """What stands in a box."""
    if node.gate is None:
        return node.name if node.named else decimal(node.exact.item(), 6)
    return SYMBOLS.get(node.gate.symbol, node.gate.symbol)


def kind(node: Node) -> str:
    """The style of a box."""
    if node.gate is None:
        return "input" if node.named else "constant"
    return "arithmetic" if isinstance(node.gate, Infix | Negate | Copy) else "gate"


def format_lines(node: Node) -> list[str]:
    """The format in few characters, SQ5.11 for SQ(5, 11); a power of two on a line of its own."""
    if node.fixed is None:
        return []
    short = re.sub(r"\((\d+), (\d+)\)", r"\1.\2", node.fixed.format)
    fmt, dot, power = short.partition("·")
    return [fmt, dot + power] if dot else [fmt]


def text_width(*lines: str) -> float:
    """Width of the longest line of 13 pixels."""
    return CHARACTER * max(map(len, lines), default=0)


def _heights(label: Label) -> tuple[float, float]:
    """Room above and below an edge."""
    return LINE * len(label.values) + 6, LINE * len(label.gradients) + 6


def _ports(heights: list[tuple[float, float]]) -> tuple[float, ...]:
    """Where edges come in, so that their labels do not meet; 0 is between the outermost."""
    if not heights:
        return ()
    ports = [0.0]
    for (_, below), (above, _) in pairwise(heights):
        ports.append(ports[-1] + max(below + above, 24.0))
    return tuple(port - ports[-1] / 2 for port in ports)
