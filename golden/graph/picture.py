"""A graph as an SVG picture: values above the edges, gradients below, as far as they are known."""

import re
from collections.abc import Iterable
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from ..types import Reals
from .layout import Place, layout
from .nodes import Graph, Node

STYLE = """
text { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 13px;
  text-anchor: middle; fill: #0f172a; }
.paper { fill: #ffffff; }
.edge { fill: none; stroke: #64748b; stroke-width: 1.4; }
.arrow { fill: #64748b; }
.gate { fill: #e2e8f0; stroke: #475569; stroke-width: 1.4; }
.leaf { fill: #ffffff; stroke: #94a3b8; stroke-width: 1.2; }
.saturated { stroke: #b91c1c; stroke-width: 2.5; }
.symbol { font-size: 16px; font-weight: bold; }
.small { font-size: 10px; fill: #475569; }
.output { font-weight: bold; text-anchor: start; }
.value { fill: #1d4ed8; }
.gradient { fill: #c2410c; }
.legend { font-size: 11px; text-anchor: start; }
"""

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"

SYMBOLS = {
    "add": "+",
    "subtract": MINUS,
    "mul": TIMES,
    "matmul": "x·w",
    "sum": "Σ",
    "reciprocal": "1/x",
    "softmax_with_loss": "softmax loss",
}

CHARACTER = 7.9
"""Width of a character of 13 pixels; those of a symbol are larger."""

MARGIN = 26.0


def picture(graph: Graph, title: str = "Computational graph") -> str:
    """The graph as an SVG document: the same bytes for the same graph.

    A constant's gradient is of no use and is not drawn. A box tells more in its tooltip: the range
    of its values, their format, and how many saturated; if any did, its border is red.

    Args:
        title: what screen readers and the tooltip of the whole say.

    Raises:
        ValueError: the graph has no node.
    """
    if not graph.nodes:
        raise ValueError("graph must have at least one node to be drawn")
    return _Drawing(layout(graph), title).text()


class _Span(NamedTuple):
    """A column of boxes, and where the edges that come into it are straight: there are labels."""

    straight: float
    left: float
    right: float


class _Drawing:
    """One layout, drawn: edges first, boxes over them."""

    def __init__(self, columns: list[list[Place]], title: str) -> None:
        places = [place for column in columns for place in column]
        boxes = [place for place in places if place.height]
        self.top = min(box.y - box.height / 2 for box in boxes) - MARGIN
        self.spans = _spans(columns)
        width = max(map(self.end, boxes)) + MARGIN
        height = max(box.y + box.height / 2 for box in boxes) - self.top + MARGIN + 16
        self.svg = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
        self.svg.set("viewBox", f"0 0 {width:.0f} {height:.0f}")
        self.svg.set("width", f"{width:.0f}")
        self.svg.set("height", f"{height:.0f}")
        self.add("title", title)
        self.add("style", STYLE)
        self.add("rect", class_="paper", width="100%", height="100%", rx=8)
        for place in places:
            self.edges(place)
        for box in boxes:
            self.box(box)
            if _is_output(box):
                self.output(box)
        self.add("text", "value", class_="legend value", x=MARGIN, y=height - 12)
        self.add("text", "gradient", class_="legend gradient", x=MARGIN + 46, y=height - 12)

    def text(self) -> str:
        """The document."""
        ElementTree.indent(self.svg)
        return ElementTree.tostring(self.svg, encoding="unicode") + "\n"

    def add(
        self,
        tag: str,
        text: str | None = None,
        within: ElementTree.Element | None = None,
        **attributes: str | float,
    ) -> ElementTree.Element:
        """Append an element to a group or the picture; numbers in tenths of a pixel."""
        element = ElementTree.SubElement(self.svg if within is None else within, tag)
        element.text = text
        for name, value in attributes.items():
            element.set(name.rstrip("_"), value if isinstance(value, str) else f"{value:.1f}")
        return element

    def sides(self, place: Place) -> tuple[float, float]:
        """Left and right end of a box, in the middle of its column, or of an edge's crossing."""
        _, left, right = self.spans[place.layer]
        if not place.height:
            return left, right
        middle, half = (left + right) / 2, _box_width(place.node) / 2
        return middle - half, middle + half

    def end(self, box: Place) -> float:
        """Where the drawing of a box ends, an output's edge and name included."""
        _, right = self.sides(box)
        if not _is_output(box):
            return right
        return right + _width(_labels_out(box.node)) + 26 + _width([box.node.name])

    def edges(self, place: Place) -> None:
        """The edges that come into a place: a bend, then straight on, with labels at a box."""
        straight, left, right = self.spans[place.layer]
        for k, (source, offset) in enumerate(place.before):
            start, bend = self.sides(source)[1], self.spans[source.layer].right
            stop = self.sides(place)[0] if place.height else right
            y0, y1 = source.y - self.top, place.y + offset - self.top
            middle = (bend + straight) / 2
            curve = f"{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {straight:.1f} {y1:.1f}"
            self.add(
                "path", class_="edge", d=f"M{start:.1f} {y0:.1f}H{bend:.1f}C{curve}H{stop:.1f}"
            )
            if place.height:
                self.head(stop, y1)
                self.labels(_labels_in(place.node, k), (straight + left) / 2 - 4, y1)

    def output(self, box: Place) -> None:
        """The edge out of a gate that feeds no other, and its name."""
        labels, y = _labels_out(box.node), box.y - self.top
        _, start = self.sides(box)
        stop = start + _width(labels) + 20
        self.add("path", class_="edge", d=f"M{start:.1f} {y:.1f}H{stop:.1f}")
        self.head(stop, y)
        self.labels(labels, (start + stop) / 2 - 4, y)
        self.add("text", box.node.name, class_="output", x=stop + 6, y=y + 4.5)

    def head(self, x: float, y: float) -> None:
        """An arrow's head."""
        self.add("path", class_="arrow", d=f"M{x:.1f} {y:.1f}l-7 -3.5v7z")

    def labels(self, labels: tuple[str, str], x: float, y: float) -> None:
        """A value above an edge and a gradient below it."""
        value, gradient = labels
        if value:
            self.add("text", value, class_="value", x=x, y=y - 6)
        if gradient:
            self.add("text", gradient, class_="gradient", x=x, y=y + 16)

    def box(self, box: Place) -> None:
        """A gate's symbol or an input's name, with its format; a gate's own name stands above."""
        node, (left, right), y = box.node, self.sides(box), box.y - self.top
        middle, top = (left + right) / 2, y - box.height / 2
        kind = "leaf" if node.gate is None else "gate"
        saturated = node.range is not None and node.range.saturated
        group = self.add("g")
        self.add("title", _tooltip(node), group)
        self.add(
            "rect",
            within=group,
            class_=f"{kind} saturated" if saturated else kind,
            x=left,
            y=top,
            width=right - left,
            height=box.height,
            rx=7,
        )
        style = "label" if node.gate is None else "symbol"
        up = 0 if node.format is None else 5
        self.add("text", _symbol(node), group, class_=style, x=middle, y=y + 5 - up)
        if node.format is not None:
            self.add("text", str(node.format), group, class_="small", x=middle, y=y + 12)
        if box.after and _has_own_name(node):
            self.add("text", node.name, group, class_="small", x=middle, y=top - 5)


def _spans(columns: list[list[Place]]) -> list[_Span]:
    """The columns, as near to each other as bends and labels let them."""
    spans: list[_Span] = []
    x = MARGIN
    for column in columns:
        boxes = [place for place in column if place.height]
        straight = x
        if spans:
            labels = [
                _width(_labels_in(box.node, k)) for box in boxes for k in range(len(box.before))
            ]
            climbs = [abs(p.y + up - q.y) for p in column for q, up in p.before]
            straight += min(14 + max(climbs, default=0.0), 46.0)
            x = straight + max(labels, default=0.0) + 18
        width = max((_box_width(box.node) for box in boxes), default=0.0)
        spans.append(_Span(straight, x, x + width))
        x += width
    return spans


def _is_output(box: Place) -> bool:
    return not box.after and box.node.gate is not None


def _labels_in(node: Node, k: int) -> tuple[str, str]:
    """Value and gradient on the edge into a gate's input ``k``."""
    source = node.inputs[k]
    told = node.downstream and source.constant is None
    return _number(source.value), _number(node.downstream[k] if told else None)


def _labels_out(node: Node) -> tuple[str, str]:
    """Value and gradient on the edge out of a gate."""
    return _number(node.value), _number(node.gradient)


def _number(array: Reals | None) -> str:
    """A short row in full, anything longer by its shape, least and largest element."""
    if array is None:
        return ""
    values = np.asarray(array)
    if values.size == 1:
        return _decimal(values.item())
    if values.ndim == 1 and values.size <= 4:
        return f"[{' '.join(map(_decimal, values.tolist()))}]"
    shape = TIMES.join(map(str, values.shape))
    return f"{shape}: {_decimal(values.min())} … {_decimal(values.max())}"


def _decimal(x: float) -> str:
    text = f"{x:.2f}" if 0.005 <= abs(x) < 1000 else f"{x:.1e}" if x else "0.00"
    return text.replace("-", MINUS)


def _symbol(node: Node) -> str:
    if node.gate is not None:
        return SYMBOLS.get(node.gate.name, node.gate.name)
    if node.constant is not None and node.constant.size == 1:
        return f"{node.constant.item():g}".replace("-", MINUS)
    return node.name


def _has_own_name(node: Node) -> bool:
    """It was not named after its gate."""
    return node.gate is not None and not re.fullmatch(rf"{node.gate.name}_\d+", node.name)


def _tooltip(node: Node) -> str:
    """What is known of a node's values, in a line."""
    facts = [node.name]
    if node.range is not None:
        facts.append(f"{node.range.low:g} to {node.range.high:g}")
    if node.format is not None:
        facts.append(str(node.format))
    if node.range is not None and node.range.saturated:
        facts.append(f"{node.range.saturated} saturated")
    return ", ".join(facts)


def _box_width(node: Node) -> float:
    letter = 1.0 if node.gate is None else 16 / 13
    text = max(_width([_symbol(node)]) * letter, _width([str(node.format or "")]) * 10 / 13)
    return max(text + 18, 46.0)


def _width(lines: Iterable[str]) -> float:
    return CHARACTER * max(map(len, lines))
