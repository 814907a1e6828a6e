"""A picture of what bits and ranges do to networks: the share of answers that stay, a line each."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from ..paired_picture import STYLE
from .figures import METRICS, SHOWN
from .goals import Found
from .registry import Network
from .variants import Group

COLOURS = {"smollm2": "#3b82f6", "minilm": "#f97316", "efficientnet": "#16a34a"}
MARKS = {"attention": "o", "output": "s", "both": "^"}
LINES = {"attention": "-", "output": "--", "both": ":"}
WIDTH, HEIGHT = 9.0, 3.2
"""Of two parts beside each other, in inches."""


def picture(networks: Sequence[Network], groups: Sequence[Group], found: Found) -> str:
    """A part each group that has an axis, as SVG; the same bytes each time."""
    drawn = [group for group in groups if group.axis]
    style: Any = STYLE
    with matplotlib.rc_context(style):
        rows = max(-(-len(drawn) // 2), 1)
        figure = Figure(figsize=(WIDTH, HEIGHT * rows + 0.6), layout="constrained")
        axes = figure.subplots(rows, 2, squeeze=False).ravel()
        for axis, group in zip(axes, drawn, strict=False):
            _part(axis, group, networks, found)
        for axis in axes[len(drawn) :]:
            axis.set_axis_off()
        if drawn:
            handles, labels = axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _part(axis: Any, group: Group, networks: Sequence[Network], found: Found) -> None:
    """The first share of answers that each network has, by place."""
    for network in networks:
        metric = next(name for name in ("agreement", "neighbours") if name in METRICS[network.name])
        for place in SHOWN[network.name]:
            shares = [
                100 * found[network.name, softmax.name][place][metric]
                for softmax in group.softmaxes
            ]
            axis.plot(
                range(len(group.at)), shares, LINES[place] + MARKS[place], ms=4, lw=1.2,
                color=COLOURS[network.name], alpha=0.8,
                label=f"{network.name}, {place}: {METRICS[network.name][metric].name}",
            )  # fmt: skip
    axis.set_xticks(range(len(group.at)), [f"{place:g}" for place in group.at])
    axis.set_xlabel(group.axis)
    axis.set_ylabel("%")
    axis.set_title(group.name, loc="left")
    axis.spines[["top", "right"]].set_visible(False)
