"""The figures of the page as plain data: every number is computed here, the page only draws."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from ....golden.measures.catalogue import DESIGN, POINT
from ....golden.measures.metric import Metric, Values
from .curves import WIDTHS, comparable, curve, grouped, matters, measured, nearest, swept_widths
from .fronts import FRONT, Placed, by_port_bits, pareto, placed
from .gathered import Configuration, Gathered, Point, Source
from .recommend import Recommendation
from .texts import baseline_order, baseline_title, figure_text, share_text

MOST_POINTS = 6000
"""Points that the page draws: all that a curve, a front or a map shows, and then every so many."""

T = TypeVar("T")

STORED = (*(metric.name for metric in POINT), "top1_low", "top1_high")
"""What the page knows of a point."""

BINS = 120
"""Of the histograms."""


@dataclass
class Numbered(Generic[T]):
    """Things that figures refer to by number, each stored once."""

    items: list[T] = field(default_factory=list)
    places: dict[T, int] = field(default_factory=dict)

    def of(self, item: T) -> int:
        """The number of a thing, a new one if it is new."""
        if item not in self.places:
            self.places[item] = len(self.items)
            self.items.append(item)
        return self.places[item]

    def has(self, item: T) -> bool:
        return item in self.places


@dataclass
class Drawn:
    """The points and configurations that the page knows."""

    points: Numbered[Point] = field(default_factory=Numbered[Point])
    configurations: Numbered[Configuration] = field(default_factory=Numbered[Configuration])


def page_data(
    gathered: Gathered,
    sources: Iterable[Source],
    recommendations: Mapping[str, Recommendation],
) -> dict[str, Any]:
    """Everything the page draws, as JSON values; the same for the same results."""
    drawn = Drawn()
    curves = {name: _curves(gathered.of_source(name), drawn) for name in gathered.sources}
    maps = {name: _maps(gathered.of_source(name), drawn) for name in gathered.sources}
    areas = {name: _areas(gathered, name, drawn) for name in gathered.sources}
    first = {
        name: [
            drawn.points.of(advice.chosen.point),
            drawn.configurations.of((advice.chosen.design or advice.chosen.point).configuration),
        ]
        for name, advice in recommendations.items()
        if advice.chosen is not None
    }
    clouds = {name: _cloud(gathered, name, drawn) for name in gathered.sources}
    stored = [_stored(point, drawn) for point in drawn.points.items]
    lines: Numbered[str] = Numbered()
    words: Numbered[str] = Numbered()
    configurations = [
        _written(found, gathered, lines, words) for found in drawn.configurations.items
    ]
    return {
        "metrics": {
            metric.name: {
                "title": metric.title,
                "heading": metric.heading,
                "meaning": metric.meaning,
                "least": 5 * metric.resolution,
                "zero": metric.ideal == 0,
                "log": metric.is_error and metric.unit in ("", "nats"),
            }
            for metric in POINT
        },
        "widths": WIDTHS,
        "sources": gathered.sources,
        "targets": gathered.targets,
        "recommended": first,
        "floats": {
            name: [
                [baseline_title(kind), _rounded(_values(POINT, found[kind]))]
                for kind in sorted(found, key=baseline_order)
            ]
            for name, found in gathered.baselines.items()
        },
        "names": STORED,
        "points": stored,
        "configurations": configurations,
        "lines": lines.items,
        "words": words.items,
        "curves": curves,
        "maps": maps,
        "areas": areas,
        "clouds": clouds,
        "histograms": [
            _histogram(source, gathered, recommendations.get(source.name)) for source in sources
        ],
    }


def _stored(point: Point, drawn: Drawn) -> list[Any]:
    """[source, configuration, the values of :data:`STORED`, ``None`` where there is none]."""
    known = _rounded({name: point.metrics.get(name) for name in STORED})
    place = drawn.configurations.of(point.configuration)
    return [point.source, place, [known.get(name) for name in STORED]]


def _written(
    configuration: Configuration, gathered: Gathered, lines: Numbered[str], words: Numbered[str]
) -> dict[str, Any]:
    """A configuration with its file, its command, and what its widths cost on each target."""
    return {
        "label": configuration.label,
        "toml": [lines.of(line) for line in configuration.toml],
        "command": [words.of(word) for word in configuration.command],
        "designs": [
            [design.target, design.lanes, _rounded(_values(DESIGN, design.metrics))]
            for design in gathered.areas.get(configuration.probabilities, [])
        ],
    }


def _values(metrics: Iterable[Metric], found: Values) -> dict[str, float | None]:
    return {metric.name: metric.value(found) for metric in metrics}


def _rounded(values: Mapping[str, float | None]) -> dict[str, float]:
    """Five digits: more than can be seen, and less to store."""
    return {name: float(f"{value:.5g}") for name, value in values.items() if value is not None}


def _curves(points: list[Point], drawn: Drawn) -> dict[str, Any]:
    """width -> metric -> the curve."""
    found: dict[str, dict[str, Any]] = {}
    for width in swept_widths(points):
        for metric in POINT:
            swept = curve(points, metric, width) if matters(width, metric) else None
            if swept is None:
                continue
            found.setdefault(width, {})[metric.name] = {
                "bits": swept.bits,
                "best": [drawn.points.of(point) for point in swept.best],
                "median": [float(f"{value:.5g}") for value in swept.median],
                "knee": swept.knee,
                "shape": swept.shape,
            }
    return found


def _maps(points: list[Point], drawn: Drawn) -> dict[str, Any]:
    """'rows|columns' -> metric -> the best point of every pair of widths, as a map."""
    widths = swept_widths(points)
    pairs = [(a, b) for i, a in enumerate(widths) for b in widths[i + 1 :]]
    found: dict[str, dict[str, Any]] = {}
    for rows, columns in pairs:
        for metric in POINT:
            if metric.is_error and (matters(rows, metric) or matters(columns, metric)):
                best = _map(
                    comparable(measured(points, metric), rows, columns),
                    metric,
                    rows,
                    columns,
                    drawn,
                )
                if best:
                    found.setdefault(f"{rows}|{columns}", {})[metric.name] = best
    return found


def _map(
    points: list[Point], metric: Metric, rows: str, columns: str, drawn: Drawn
) -> dict[str, Any] | None:
    across = list(grouped(points, lambda found: found.bits(columns)))
    down = grouped(points, lambda found: found.bits(rows))
    if len(across) < 2 or len(down) < 2:
        return None
    cells = []
    for group in down.values():
        here = grouped(group, lambda found: found.bits(columns))
        best = [nearest(here.get(bits, []), metric) for bits in across]
        cells.append([None if point is None else drawn.points.of(point) for point in best])
    return {"rows": list(down), "columns": across, "cells": cells}


def _areas(gathered: Gathered, source: str, drawn: Drawn) -> dict[str, Any]:
    """target -> metric -> for every number of lanes the designs, and which are on the front."""
    found: dict[str, dict[str, Any]] = {}
    for target in gathered.targets:
        lanes = sorted({one.lanes for one in gathered.designs if one.target == target})
        for metric in FRONT:
            groups = {n: placed(gathered, source, target, n, metric) for n in lanes}
            fronts = [_front(f"{n} lane{'s' * (n > 1)}", groups[n], metric, drawn) for n in lanes]
            found.setdefault(target, {})[metric.name] = [
                group for group in fronts if group["points"]
            ]
    return found


def _front(name: str, group: list[Placed], metric: Metric, drawn: Drawn) -> dict[str, Any]:
    return {
        "name": name,
        "cost": [one.cost for one in group],
        "points": [drawn.points.of(one.point) for one in group],
        "front": pareto(group, metric),
        "configurations": [
            drawn.configurations.of((one.design or one.point).configuration) for one in group
        ],
    }


def _cloud(gathered: Gathered, source: str, drawn: Drawn) -> dict[str, Any]:
    """metric -> every drawn point by the bits of its ports, and which are on the front."""
    points = gathered.of_source(source)
    fronts = {}
    for metric in FRONT:
        group = by_port_bits(points, metric)
        if group:
            front = pareto(group, metric)
            fronts[metric.name] = [drawn.points.of(group[i].point) for i in front]
    rest = [point for point in points if not drawn.points.has(point)]
    room = MOST_POINTS // len(gathered.sources) - (len(points) - len(rest))
    step = max(1, -(-len(rest) // max(1, room)))
    for point in rest[::step]:
        drawn.points.of(point)
    shown = [point for point in points if drawn.points.has(point)]
    return {
        "points": [drawn.points.of(point) for point in shown],
        "bits": [point.configuration.port_bits for point in shown],
        "of": len(points),
        "fronts": fronts,
    }


def _histogram(source: Source, gathered: Gathered, advice: Recommendation | None) -> dict[str, Any]:
    """The logits and their distances from the row's largest, with the clips of the sweep."""
    values, active = source.logits.values, source.logits.active
    largest = np.where(active, values, -np.inf).max(axis=1, keepdims=True, initial=-1e300)
    kinds = {"input": values[active], "difference": (largest - values)[active]}
    clips = {kind: Counter[float]() for kind in kinds}
    for point in gathered.of_source(source.name):
        kind, place = _clip(point)
        clips[kind][place] += 1
    chosen = _clip(advice.chosen.point) if advice and advice.chosen else ("", 0.0)
    return {
        "name": source.name,
        "rows": len(values),
        "elements": int(active.sum()),
        **{
            kind: _binned(array, clips[kind], chosen[1] if chosen[0] == kind else None)
            for kind, array in kinds.items()
        },
    }


def _clip(point: Point) -> tuple[str, float]:
    """(what is clipped, where): a difference saturates at twice the range."""
    fields = point.configuration.fields
    kind = fields.get("clip", "input")
    return kind, float(fields.get("range", 10.0)) * (2 if kind == "difference" else 1)


def _binned(array: np.ndarray, clips: Counter[float], chosen: float | None) -> dict[str, Any]:
    """Counts, and the clips: for each its place and the share of elements beyond it.

    The main one is that of the recommendation, else that of most configurations.
    """
    counts, edges = np.histogram(array, BINS)
    usual = max(clips, key=lambda place: (clips[place], place), default=None)
    return {
        "start": float(edges[0]),
        "step": float(edges[1] - edges[0]),
        "counts": counts.tolist(),
        "least": figure_text(float(array.min())),
        "most": figure_text(float(array.max())),
        "main": usual if chosen is None else chosen,
        "clips": {
            f"{place:g}": share_text(float((np.abs(array) > place).mean()))
            for place in sorted(clips)
        },
    }


def source_facts(source: Source | None) -> str:
    """How many rows and elements there are, and where the logits lie, in a sentence."""
    if source is None:
        return ""
    values = source.logits.values[source.logits.active]
    return (
        f"{len(source.logits.values):,} rows, {values.size:,} elements, logits from "
        f"{figure_text(float(values.min()))} to {figure_text(float(values.max()))}."
    )
