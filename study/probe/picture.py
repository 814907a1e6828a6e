"""A picture of the row maxima of every softmax, for a document."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from ...golden.measures.row_figures import Distribution
from ...golden.measures.row_record import RANGES
from .report import Report

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "probe",  # the same names each time
    "font.size": 9,
}
INK, BAR, LIMIT = "#1b2430", "#0072b2", "#d55e00"
WIDTH, LINE, FRAME = 8.0, 0.24, 1.3
"""Of the picture, of a line, and around the lines, in inches."""


def picture(report: Report) -> str:
    """A line each softmax, from above, as SVG; the same bytes each time."""
    sites = [(site.name, site.figures.top) for site in report.sites]
    style: Any = STYLE
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(WIDTH, FRAME + LINE * len(sites)), layout="constrained")
        axis = figure.subplots()
        _draw(axis, sites)
        axis.set_title(f"Row maxima, {report.subject}", loc="left")
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _draw(axis: Any, sites: Sequence[tuple[str, Distribution]]) -> None:
    tops = [top for _, top in sites]
    low = min(top.low or 0.0 for top in tops)
    high = max(top.high or 0.0 for top in tops)
    for limit in (edge for each in RANGES for edge in (-each, each)):
        if 1.3 * min(low, -7) <= limit <= 1.3 * max(high, 8):
            axis.axvline(limit, color=LIMIT, linewidth=0.8, linestyle="--")
    for place, top in enumerate(tops):
        axis.plot([top.at(1), top.at(99)], [place] * 2, color=BAR, linewidth=1.2)
        axis.plot([top.at(25), top.at(75)], [place] * 2, color=BAR, linewidth=6)
        axis.plot([top.low, top.high], [place] * 2, "o", color=LIMIT, markersize=3)
        axis.plot([top.at(50)], [place], "|", color="white", markersize=5)
    axis.set_yticks(range(len(sites)), [name for name, _ in sites])
    axis.set_ylim(len(sites) - 0.4, -0.6)
    axis.set_xlabel(
        "largest logit of a row: the middle half, 98 %, and the ends\n"
        "beyond a dashed line it saturates in a unit of that range"
    )
    axis.spines[["top", "right"]].set_visible(False)
