"""What the page draws, as plain data: every number is computed here, the page only draws."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...golden.measures import bins
from ...golden.measures.row_figures import Distribution, RowFigures
from ...golden.measures.row_record import WITHIN, RowRecord
from ...golden.types import Integers
from .seen import Seen

BARS = 120
"""Of a histogram."""
QUANTITIES = {
    "element": "logits",
    "top": "row maxima",
    "spread": "max - min of a row",
    "gap": "first - second of a row",
}
"""Histograms of :class:`RowRecord`, in words."""


def page_data(sites: Sequence[Seen]) -> dict[str, Any]:
    """Of JSON; the same for the same results."""
    return {
        "ranges": sites[0].record.ranges[0].tolist(),
        "quantities": QUANTITIES,
        "sites": [_site(site) for site in sites],
    }


def _site(site: Seen) -> dict[str, Any]:
    epochs = {name: histograms(record) for name, record in site.epochs.items()}
    return {
        "name": site.name,
        "maximum": _ends(site.figures.top),
        "beyond": list(site.figures.beyond.values()),
        "heads": [_head(figures) for figures in site.heads],
        "whole": histograms(site.record),
        "epochs": epochs if len(epochs) > 1 else {},
        "course": [_course(record) for record in site.epochs.values()] if len(epochs) > 1 else [],
    }


def histograms(record: RowRecord) -> dict[str, Any]:
    """Those of all groups of a record, by the names of :data:`QUANTITIES`; None of nothing."""
    one, figures = record.merged(), RowFigures.of(record)
    ends = {
        "element": figures.logit, "top": figures.top, "spread": figures.spread, "gap": figures.gap,
    }  # fmt: skip
    return {name: _histogram(getattr(one, name)[0], found) for name, found in ends.items()}


def _histogram(counts: Integers, found: Distribution) -> dict[str, Any] | None:
    """Bars of one width, from bins that are not: inside of a bin all numbers are as likely."""
    if found.low is None or found.high is None:
        return None
    low, high = found.low, found.high
    if not low < high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BARS + 1)
    inside = np.clip(bins.EDGES, low, high)
    below = np.interp(edges, inside, np.concatenate([[0], np.cumsum(counts)]))
    below[0], below[-1] = 0, counts.sum()
    heights = np.maximum(np.diff(below), 0)
    return {
        "start": _short(low),
        "step": (high - low) / BARS,
        "counts": [_short(height) for height in heights.tolist()],
        "median": _short(found.at(50)),
        "low": _short(found.low),
        "high": _short(found.high),
    }


def _ends(found: Distribution) -> list[float | None]:
    """[least, 1 %, 25 %, 50 %, 75 %, 99 %, largest]."""
    middle = [found.at(percent) for percent in (1, 25, 50, 75, 99)]
    return [_short(value) for value in (found.low, *middle, found.high)]


def _head(figures: RowFigures) -> list[float | None]:
    """[sd, median of the row maxima, their largest, median of first - second]."""
    found = figures.sd, figures.top.at(50), figures.top.high, figures.gap.at(50)
    return [_short(value) for value in found]


def _course(record: RowRecord) -> dict[str, Any]:
    """What an epoch says of the ranges."""
    figures = RowFigures.of(record)
    return {
        "within": [figures.within[f"{limit:g}"] for limit in WITHIN],
        "maximum": _short(figures.top.high),
        "median": _short(figures.top.at(50)),
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")
