"""Lines over an axis, as a picture of a document and a figure of a page show them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, StrMethodFormatter

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, as in the pages: told apart with any kind of colour vision."""
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "plan",  # the same names each time
    "font.size": 9,
}
WIDTH, HEIGHT = 5.0, 3.4
"""Of a chart, in inches."""
WIDE = 2000
"""Last number of a log scale by its first, from which on powers of ten are told alone."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points that are joined, or stand alone where ``apart``.

    Attributes:
        name: in the legend; none where it is empty. colour: place of one in :data:`COLOURS`.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int = 0
    apart: bool = False
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with words beside it."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One pair of axes.

    Attributes:
        name: of its element in a page. title: what it shows. words: what is to be seen in it.
        x, y: titles of the axes, on log scales where ``logarithmic`` has them.
    """

    name: str
    title: str
    words: str
    x: str
    y: str
    lines: tuple[Line, ...]
    marks: tuple[Mark, ...] = ()
    logarithmic: str = ""


def svg(charts: Sequence[Chart]) -> str:
    """Charts beside one another, as SVG; the same bytes each time."""
    style: Any = STYLE
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(WIDTH * len(charts), HEIGHT), layout="constrained")
        axes = figure.subplots(1, len(charts), squeeze=False)
        for axis, chart in zip(axes[0], charts, strict=True):
            _draw(axis, chart)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _draw(axis: Any, chart: Chart) -> None:
    for line in chart.lines:
        style = "o" if line.apart else "--" if line.dashed else "-"
        colour = COLOURS[line.colour]
        axis.plot(line.x, line.y, style, color=colour, label=line.name, ms=3, linewidth=1.3)
    for mark in chart.marks:
        axis.plot([mark.x], [mark.y], "k.", ms=7)
        axis.annotate(mark.text, (mark.x, mark.y), (4, 6), textcoords="offset points", fontsize=8)
    axis.set_xscale("log" if "x" in chart.logarithmic else "linear")
    axis.set_yscale("log" if "y" in chart.logarithmic else "linear")
    _number(axis.xaxis, "x" in chart.logarithmic)
    _number(axis.yaxis, "y" in chart.logarithmic)
    axis.set_xlabel(chart.x)
    axis.set_ylabel(chart.y)
    axis.set_title(chart.title, loc="left", fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
    if len(chart.lines) > 1:
        axis.legend(frameon=False, fontsize=8)


def _number(axis: Any, logarithmic: bool) -> None:
    """Numbers as they are; on a log scale those that begin with 1, and 2 and 5 if there is room."""
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    low, high = axis.get_view_interval()
    if logarithmic and high < WIDE * low:
        axis.set_minor_formatter(FuncFormatter(lambda value, _: _short(value)))
    elif logarithmic:
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(integer=True))


def _short(value: float) -> str:
    """A tick between powers of ten, if it has room for words."""
    return f"{value:,g}" if f"{value:e}"[0] in "25" else ""


def plotly(chart: Chart) -> dict[str, Any]:
    """A chart as Plotly takes it, but for what all figures of the pages share."""
    traces = [
        {
            "name": line.name, "showlegend": line.name != "", "colour": line.colour,
            "x": [*line.x], "y": [*line.y],
            "mode": "markers" if line.apart else "lines",
            "line": {"dash": "dash" if line.dashed else "solid"},
        }
        for line in chart.lines
    ]  # fmt: skip
    marks = {
        "name": "marked", "showlegend": False, "mode": "markers+text", "cliponaxis": False,
        "x": [mark.x for mark in chart.marks], "y": [mark.y for mark in chart.marks],
        "text": [mark.text for mark in chart.marks], "textposition": "top right",
    }  # fmt: skip
    return {
        "id": chart.name,
        "traces": [*traces, marks] if chart.marks else traces,
        "x": {"title": chart.x, "type": "log" if "x" in chart.logarithmic else "linear"},
        "y": {"title": chart.y, "type": "log" if "y" in chart.logarithmic else "linear"},
    }
