"""The five distances of a configuration on number lines."""

import io
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from ...golden import SQ, SoftmaxConfig, preset
from ...golden.config import DATAPATHS

CONFIG = preset("int8", input=SQ(5, 5))
"""One in which all five differ, and none is too small to be seen."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "distances",  # the same names of clip paths each time
    "font.size": 10,
}

INK, EXP, NOTHING = "#0f172a", "#93c5fd", "#e2e8f0"

MEANING = {
    "max_subtract": "max_subtract: distance of a code from its row's maximum",
    "exact_sum": "exact_sum: distance of a code from a fixed one, the origin",
}


def marked(config: SoftmaxConfig) -> dict[int, str]:
    """What to write at distances, in input LSB: names of equal ones together."""
    at: dict[int, list[str]] = {}
    for name in ("nearest", "reach", "farthest"):
        at.setdefault(getattr(config.path, name), []).append(name)
    return {distance: f"{' = '.join(at[distance])} = {distance}" for distance in sorted(at)}


def codes_at(config: SoftmaxConfig) -> dict[int, str]:
    """Which codes have a distance, where that does not depend on the row."""
    origin = config.path.origin
    if origin is None:
        return {0: "the maximum", config.span: "max \N{MINUS SIGN} span"}
    return {
        origin - code: f"code {code}".replace("-", "\N{MINUS SIGN}")
        for code in (config.range_code, 0, -config.range_code)
    }


def distances_svg(config: SoftmaxConfig = CONFIG) -> str:
    """A number line each datapath, as SVG; the same bytes each time."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 4.8), layout="tight")
        axes = figure.subplots(len(DATAPATHS), sharex=True)
        for axis, datapath in zip(axes, DATAPATHS, strict=True):
            _line(axis, config.replace(datapath=datapath))
        axes[-1].set_xlabel(f"input LSB of {config.input}, range {config.range:g}")
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _line(axis: Any, config: SoftmaxConfig) -> None:
    """Where exp tells distances apart, where it does not, and the names above and below."""
    path = config.path
    axis.set_title(MEANING[config.datapath], loc="left", color=INK)
    _zone(axis, path.nearest, path.reach, EXP, "told apart by exp's tables", 0.25)
    _zone(axis, path.reach, path.farthest, NOTHING, "adds nothing", 0.5)
    for distance, text in marked(config).items():
        _write(axis, distance, text, 0.5)
    for distance, text in codes_at(config).items():
        _write(axis, distance, text, -0.5)
    _length(axis, path.nearest, config.span, "span", -1.2)
    if path.origin is not None:
        _length(axis, 0, path.origin, "origin", -1.7)
    axis.set(ylim=(-2, 1), yticks=[], xlim=(-0.08 * config.span, config.span * 1.13))
    axis.spines[["left", "right", "top"]].set_visible(False)


def _zone(axis: Any, start: int, stop: int, colour: str, text: str, share: float) -> None:
    """A part of a number line, if it is there, and at a share of it what it is."""
    if start < stop:
        axis.barh(0, stop - start, 0.5, start, color=colour)
        axis.text(start + (stop - start) * share, 0, text, ha="center", va="center", color=INK)


def _length(axis: Any, start: int, length: int, name: str, height: float) -> None:
    """An arrow between two distances below the line, and how far they are from each other."""
    arrow = {"arrowstyle": "<->", "color": INK, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", (start, height), (start + length, height), arrowprops=arrow)
    text = {"ha": "center", "va": "center", "backgroundcolor": "white"}
    axis.text(start + length / 2, height, f"{name} = {length}", **text)


def _write(axis: Any, distance: int, text: str, height: float) -> None:
    """A text above or below a distance, and a line to it."""
    axis.plot([distance, distance], [0, height], color=INK, linewidth=1)
    side = "bottom" if height > 0 else "top"
    axis.text(distance, height * 1.1, text, ha="center", va=side, color=INK)
