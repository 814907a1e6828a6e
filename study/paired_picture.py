"""A picture of trainings in pairs: the difference of every seed, and the interval of their mean."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from .paired_figures import Pairs

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "training",  # the same names each time
    "font.size": 9,
}
INK, SEED, ALLOWED = "#0f172a", "#3b82f6", "#dcfce7"
WIDTH, LINE, FRAME = 8.0, 0.3, 1.2
"""Of the picture, of a line, and around the lines of a network, in inches."""


def picture(found: Sequence[Pairs]) -> str:
    """A part each network, with a line each optimiser and softmax, as SVG; the same bytes each
    time."""
    names = list(dict.fromkeys(pairs.network for pairs in found))
    parts = [[pairs for pairs in found if pairs.network == name] for name in names]
    heights = [FRAME + LINE * len(part) for part in parts]
    style: Any = STYLE
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
        axes = figure.subplots(len(parts), height_ratios=heights, squeeze=False)
        for axis, part in zip(axes[:, 0], parts, strict=True):
            _part(axis, part)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _part(axis: Any, part: list[Pairs]) -> None:
    """A network's lines, from above, and what its promise allows the interval or a seed."""
    measure = part[0].measure
    allowed = measure.promise.within or measure.promise.worst
    axis.axvspan(-allowed, allowed, color=ALLOWED)
    axis.axvline(0, color=INK, linewidth=0.8)
    for place, pairs in enumerate(part):
        axis.plot(pairs.differences, [place] * len(pairs.seeds), "o", color=SEED, alpha=0.5, ms=4)
        axis.plot(pairs.interval, [place - 0.25] * 2, color=INK, linewidth=1.5)
        axis.plot([pairs.mean], [place - 0.25], "|", color=INK, ms=7)
    axis.set_yticks(range(len(part)), [f"{pairs.optimiser}, {pairs.softmax}" for pairs in part])
    axis.set_ylim(len(part) - 0.5, -0.6)
    better = "right" if measure.rises else "left"
    axis.set_xlabel(
        f"{measure.name} less float32's, {measure.of_difference}; {better} is better\n"
        "a dot: a seed; a line: the 95 % interval of the mean"
    )
    axis.set_title(part[0].network, loc="left")
    axis.spines[["top", "right"]].set_visible(False)
