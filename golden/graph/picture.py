"""A graph as an SVG picture: values above the edges, gradients below."""

from typing import NamedTuple

from .graph import Graph
from .labels import difference_lines
from .layout import Place, layout
from .shapes import (
    LINE,
    SMALL_CHARACTER,
    SMALL_LINE,
    Label,
    Shapes,
    format_lines,
    kind,
    symbol,
    text_width,
)
from .svg import Canvas

MARGIN = 22.0
HEADING = 30.0
"""Height of the heading, and of the legend."""


def picture(graph: Graph, heading: str) -> str:
    """The graph as an SVG document, after forward and backward: the same bytes for the same graph.

    A constant's gradient is of no use and is not drawn. Under a node that feeds several gates
    stands its gradient, the sum of those on its edges. A box that could not hold a value has a red
    border; its tooltip says more.
    """
    return _Drawing(graph, heading).canvas.document()


class _Span(NamedTuple):
    """A column of boxes, and where the edges that come into it are straight: there are labels."""

    straight: float
    left: float
    right: float


class _Drawing:
    """One layout, drawn: edges first, boxes over them."""

    def __init__(self, graph: Graph, heading: str) -> None:
        self.shapes = Shapes(graph)
        columns = layout(graph, self.shapes.size)
        places = [place for column in columns for place in column]
        self.top = min(place.y - place.size.above for place in places) - MARGIN - HEADING
        bottom = max(place.y + place.size.below for place in places) - self.top + 10
        self.spans = self._spans(columns)
        self.canvas = Canvas(heading)
        self.canvas.add("rect", class_="paper", width="100%", height="100%", rx=8)
        self.canvas.add("text", heading, class_="heading", x=MARGIN, y=26)
        for place in places:
            self._edges(place)
        for place in places:
            if place.kind == "box":
                self._box(place)
            elif place.kind == "end":
                self._name(place)
        legend = self._legend(graph, bottom + 22)
        width = max(self.spans[-1].right, legend, MARGIN + text_width(heading) * 14 / 13)
        self.canvas.size(width + MARGIN, bottom + HEADING + 10)

    def _spans(self, columns: list[list[Place]]) -> list[_Span]:
        """The columns, as near to each other as bends and labels let them."""
        spans: list[_Span] = []
        x = MARGIN
        for column in columns:
            straight = x
            if spans:
                climbs = [abs(p.y + up - q.y) for p in column for q, up in p.before]
                straight += min(6 + max(climbs, default=0.0) / 3, 50.0)
                labels = [label.width for place in column for label in self._labels(place)]
                x = straight + max(labels, default=0.0) + 13
            width = max((self._width(place) for place in column), default=0.0)
            spans.append(_Span(straight, x, x + width))
            x += width
        return spans

    def _labels(self, place: Place) -> list[Label]:
        """What stands at the edges that come into a place."""
        if place.kind == "box":
            return [self.shapes.label(place.node, k) for k in range(len(place.node.inputs))]
        return [self.shapes.end_label(place.node)] if place.kind == "end" else []

    def _width(self, place: Place) -> float:
        if place.kind == "box":
            return self.shapes.width(place.node)
        return text_width(place.node.name) if place.kind == "end" else 0.0

    def _sides(self, place: Place) -> tuple[float, float]:
        """Left and right end of a box, in the middle of its column, or of an edge's crossing."""
        _, left, right = self.spans[place.layer]
        if place.kind != "box":
            return left, right
        middle, half = (left + right) / 2, self.shapes.width(place.node) / 2
        return middle - half, middle + half

    def _edges(self, place: Place) -> None:
        """The edges that come into a place: a bend, then straight on, with labels at a box."""
        straight, left, right = self.spans[place.layer]
        labels = self._labels(place)
        for k, (source, offset) in enumerate(place.before):
            start, bend = self._sides(source)[1], self.spans[source.layer].right
            stop = right if place.kind == "crossing" else self._sides(place)[0]
            y0, y1 = source.y - self.top, place.y + offset - self.top
            middle = (bend + straight) / 2
            curve = f"{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {straight:.1f} {y1:.1f}"
            path = f"M{start:.1f} {y0:.1f}H{bend:.1f}C{curve}H{stop:.1f}"
            self.canvas.add("path", class_="edge", d=path)
            if place.kind != "crossing":
                self.canvas.add("path", class_="arrow", d=f"M{stop:.1f} {y1:.1f}l-7 -3.5v7z")
                self._label(labels[k], (straight + left - 7 - labels[k].width) / 2, y1)

    def _label(self, label: Label, x: float, y: float) -> None:
        """Values above an edge, differences beside them, and gradients below it."""
        end = x + label.numbers
        first = y - 6 - LINE * (len(label.values) - 1)
        for k, value in enumerate(label.values):
            self.canvas.add("text", value, class_="value", x=end, y=first + LINE * k)
        for k, difference in enumerate(label.differences):
            self.canvas.add("text", difference, class_="difference", x=end + 5, y=first + LINE * k)
        for k, gradient in enumerate(label.gradients):
            self.canvas.add("text", gradient, class_="gradient", x=end, y=y + 15 + LINE * k)

    def _box(self, place: Place) -> None:
        """A gate's symbol or an input's name, with its format; a node's own name stands above."""
        node, (left, right), y = place.node, self._sides(place), place.y - self.top
        middle, half = (left + right) / 2, self.shapes.half(node, place.size.ports)
        marked = " marked" if node.fixed is not None and node.fixed.note else ""
        group = self.canvas.add("g")
        self.canvas.add("title", self._tooltip(place), group)
        self.canvas.add(
            "rect", within=group, class_=kind(node) + marked, x=left, y=y - half,
            width=right - left, height=2 * half, rx=7 if kind(node) == "gate" else min(half, 20),
        )  # fmt: skip
        formats = format_lines(node)
        style = "label" if node.gate is None else "symbol"
        first = y + 5 - 6 * len(formats)
        self.canvas.add("text", symbol(node), group, class_=style, x=middle, y=first)
        for k, line in enumerate(formats, 1):
            self.canvas.add(
                "text", line, group, class_="small", x=middle, y=first + 1 + SMALL_LINE * k
            )
        if node.named and node.gate is not None:
            self.canvas.add("text", node.name, group, class_="name", x=middle, y=y - half - 5)
        for k, line in enumerate(self.shapes.total(node), 1):
            below = y + half + 2 + SMALL_LINE * k
            self.canvas.add("text", line, group, class_="total", x=middle, y=below)

    def _tooltip(self, place: Place) -> str:
        fixed = place.node.fixed
        parts = [place.node.name, *([fixed.format, fixed.note] if fixed else [])]
        return ", ".join(filter(None, parts))

    def _name(self, place: Place) -> None:
        """The name at the end of an output."""
        left, y = self.spans[place.layer].left, place.y - self.top
        self.canvas.add("text", place.node.name, class_="end", x=left + 4, y=y + 4.5)

    def _legend(self, graph: Graph, y: float) -> float:
        """What the colours mean; where it ends."""
        keys = [("value", "value")]
        if any(difference_lines(node.difference) for node in graph.nodes):
            keys.append(("difference", "its difference from float, in LSB"))
        keys.append(("gradient", f"gradient of {graph.seed.name if graph.seed else ''}"))
        if any(self.shapes.total(node) for node in graph.nodes):
            keys.append(("total", "under a box: the sum over its edges"))
        if any(node.fixed and node.fixed.note for node in graph.nodes):
            keys.append(("saturated", "red: could not hold a value"))
        x = MARGIN
        for style, text in keys:
            self.canvas.add("text", text, class_=f"key {style}", x=x, y=y)
            x += SMALL_CHARACTER * 1.1 * len(text) + 18
        return x
