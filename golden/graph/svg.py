"""An SVG document, element by element: the same bytes for the same elements."""

from xml.etree import ElementTree

STYLE = """
text { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 13px;
  text-anchor: middle; fill: #0f172a; }
.paper { fill: #ffffff; stroke: #e2e8f0; }
.heading { font-size: 14px; font-weight: bold; text-anchor: start; }
.edge { fill: none; stroke: #94a3b8; stroke-width: 1.4; }
.arrow { fill: #64748b; }
.gate { fill: #e0e7ff; stroke: #4f46e5; stroke-width: 1.4; }
.arithmetic { fill: #f1f5f9; stroke: #475569; stroke-width: 1.4; }
.input { fill: #ecfdf5; stroke: #059669; stroke-width: 1.4; }
.constant { fill: #ffffff; stroke: #cbd5e1; stroke-width: 1.2; stroke-dasharray: 3 2; }
.marked { stroke: #dc2626; stroke-width: 2.6; }
.symbol { font-size: 16px; font-weight: bold; }
.small { font-size: 10px; fill: #475569; }
.name { font-size: 11px; font-style: italic; fill: #475569; }
.end { font-weight: bold; text-anchor: start; }
.value { fill: #1d4ed8; text-anchor: end; }
.difference { font-size: 10px; fill: #0e7490; text-anchor: start; }
.gradient { fill: #c2410c; text-anchor: end; }
.total { font-size: 11px; fill: #c2410c; font-weight: bold; }
.saturated { fill: #dc2626; }
.key { font-size: 11px; text-anchor: start; }
"""


class Canvas:
    """A document that is being drawn."""

    def __init__(self, title: str) -> None:
        self.root = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", role="img")
        self.add("title", title)
        self.add("style", STYLE)

    def size(self, width: float, height: float) -> None:
        """Set the size of the document, in pixels."""
        self.root.set("viewBox", f"0 0 {width:.0f} {height:.0f}")
        self.root.set("width", f"{width:.0f}")
        self.root.set("height", f"{height:.0f}")

    def add(
        self,
        tag: str,
        text: str | None = None,
        within: ElementTree.Element | None = None,
        **attributes: str | float,
    ) -> ElementTree.Element:
        """Append an element to a group or the document; numbers in tenths of a pixel."""
        element = ElementTree.SubElement(self.root if within is None else within, tag)
        element.text = text
        for name, value in attributes.items():
            value_text = value if isinstance(value, str) else f"{value:.1f}"
            element.set(name.rstrip("_"), value_text)
        return element

    def document(self) -> str:
        """The document as text."""
        ElementTree.indent(self.root)
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"
