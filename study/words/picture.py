"""A picture of trainings of the word model: validation perplexity by time and by steps."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from ..paired_picture import INK, STYLE
from .compared import Compared
from .course import Point, perplexity

COLOURS = {"full": INK, "two-level": "#d97706", "adaptive": "#3b82f6"}
LINES = ("--", "-", ":", "-.")
"""Of float32, then of each unit."""
SHOWN = 3.0
"""Perplexities up to so many times the best one are shown."""


def picture(found: Sequence[Compared]) -> str:
    """Both as SVG; the same bytes each time."""
    style: Any = STYLE | {"svg.hashsalt": "words"}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(8.0, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        _draw(left, found, lambda point: point.seconds)
        _draw(right, found, lambda point: point.step)
        left.set_xlabel("seconds of one processor")
        right.set_xlabel("steps")
        left.set_ylabel("validation perplexity")
        best = min(perplexity(one.course.best.validation) for one in found)
        left.set_ylim(0.95 * best, SHOWN * best)
        right.legend(frameon=False)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _draw(axis: Any, found: Sequence[Compared], place: Callable[[Point], float]) -> None:
    """A line each training, with a mark at its best."""
    softmaxes = list(dict.fromkeys(one.course.softmax for one in found))
    for one in found:
        course = one.course
        points = [(place(point), perplexity(point.validation)) for point in course.points]
        axis.plot(
            *zip(*points, strict=True),
            LINES[softmaxes.index(course.softmax) % len(LINES)],
            color=COLOURS[course.method],
            linewidth=1.2,
            label=f"{course.method}, {course.softmax}",
        )
        axis.plot(
            [place(course.best)], [perplexity(course.best.validation)], "o", ms=4,
            color=COLOURS[course.method],
        )  # fmt: skip
    axis.spines[["top", "right"]].set_visible(False)
