"""A plan in tables, and as fields of JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from ...golden.clusters import Clusters
from ...golden.types import Indices
from .cost import Cutoffs
from .cycles import Cycles
from .findings import COVERED, Findings, Priced
from .fit import Fit
from .rows import Row
from .through_unit import Through
from .times import Times
from .vocabulary import Vocabulary

SHOWN = 7
"""Cutoffs that are listed; of more, the first and their number."""

Measured = Mapping[Cutoffs, float]
"""What splits took, in the unit that people are told."""
NOTHING: Measured = MappingProxyType({})

Rows = tuple[list[str], list[list[str]]]
"""A heading, and rows."""


def rivals(found: Findings, measured: Measured = NOTHING) -> Rows:
    """The plan beside other splits.

    Args:
        measured: what splits took, where that was measured.
    """
    heading = ["split", "cutoffs", "clusters", found.cost.unit, "times less than full"]
    rows = [_row(one, found.full) for one in found.table]
    if measured:
        heading += ["measured", "times less than full"]
        for row, one in zip(rows, found.table, strict=True):
            row += _took(measured.get(one.rival.cutoffs), measured[()])
    return heading, rows


def _took(cost: float | None, full: float) -> list[str]:
    return [figure(cost), "-" if cost is None else f"{full / cost:.2f}"]


def _row(one: Priced, full: float | None) -> list[str]:
    gain = "-" if one.cost is None or full is None else f"{full / one.cost:.2f}"
    return [one.rival.name, listed(one.rival.cutoffs), f"{one.rival.clusters:,}",
            figure(one.cost), gain]  # fmt: skip


def figure(cost: float | None) -> str:
    """A cost with four digits or, where it has more, without a fraction."""
    if cost is None:
        return "-"
    return f"{cost:,.0f}" if cost >= 1000 else f"{cost:#.4g}".rstrip(".")


def listed(cutoffs: Cutoffs) -> str:
    """Cutoffs as they are typed; of many, the first."""
    if not cutoffs:
        return "-"
    if len(cutoffs) <= SHOWN:
        return str([*cutoffs])
    return f"[{', '.join(map(str, cutoffs[:3]))}, ... {len(cutoffs)} in all]"


def clusters(found: Findings) -> Rows:
    """What each cluster of the plan holds, and what it takes."""
    made, words = found.clusters, found.vocabulary
    heading = ["cluster", "words", "share of the text", "row of", found.cost.unit]
    edges = (0, *made.cutoffs, len(words))
    tails = found.cost.widths(made.tails)
    costs = [found.cost.head(_array(made.shortlist), made.tails)] + [
        found.cost.tail(_array(start), _array(end), width)
        for start, end, width in zip(edges[1:-1], edges[2:], tails, strict=True)
    ]
    rows = [
        ["head" if not place else f"tail {place}", f"{end - start:,}",
         f"{share(found, start, end):.2f} %", f"{length:,}",
         figure(found.cost.told(cost.item()))]
        for place, (start, end, length, cost) in enumerate(
            zip(edges[:-1], edges[1:], made.lengths, costs, strict=True)
        )
    ]  # fmt: skip
    return heading, rows


def share(found: Findings, start: int, end: int) -> float:
    """Of the text, in per cent."""
    before = found.vocabulary.before
    return float(100 * (before[end] - before[start]) / found.vocabulary.tokens)


def curve(found: Findings, measured: Measured = NOTHING) -> Rows:
    """The cheapest split of each number of clusters."""
    heading = ["clusters", "cutoffs", found.cost.unit, "less than with one fewer"]
    rows, last = [], found.full
    for split in found.curve:
        cost = found.cost.told(split.cost)
        less = "-" if last is None else f"{100 * (1 - cost / last):.1f} %"
        rows.append([f"{split.tails + 1}", listed(split.cutoffs), figure(cost), less])
        last = cost
    if measured:
        heading.append("measured")
        for row, split in zip(rows, found.curve, strict=True):
            row.append(figure(measured[split.cutoffs]))
    return heading, rows


def copied_lines(found: Findings) -> Iterator[str]:
    """The cutoffs, as torch takes them; by cycles, all fields of our unit's configuration, as
    TOML."""
    made, longest = found.clusters, max(found.clusters.lengths)
    if not isinstance(found.cost, Cycles):
        yield f"cutoffs = {[*made.cutoffs]}"
        return
    yield f"vocabulary = {made.vocabulary}"
    yield f"cutoffs = {[*made.cutoffs]}"
    yield f"max_length = {longest}"
    if longest > found.cost.buffer_length:
        yield f"buffer_length = {found.cost.buffer_length}"


def two_sentences(found: Findings) -> list[str]:
    """What two clusters cost, as short list and as leaves."""
    two, unit = found.two, found.cost.unit
    leaves, least = two.best_leaves
    return [
        f"Two clusters take {figure(two.best[1])} {unit} at least, with {two.best[0]:,} words in "
        f"the head; cut where half of the mass is, at {two.equal[0]:,}, they take "
        f"{figure(two.equal[1])}.",
        f"Both clusters in leaves take {figure(least)} at least, the first with {leaves:,} words: "
        f"{100 * (least / two.best[1] - 1):+.1f} %.",
    ]


def covered(words: Vocabulary) -> str:
    """Which share of the words is most of the text."""
    count = words.covering(COVERED)
    return (
        f"{100 * COVERED:g} % of {words.source} are {count:,} of its {len(words):,} words, "
        f"{100 * count / len(words):.1f} %"
    )


def law_sentences(fit: Fit, found: Findings) -> list[str]:
    """The law of a product's time, in both of its forms, and its error."""
    law, cost = fit.law, times_of(found)
    hidden, batch = cost.hidden, cost.batch
    return [
        f"g(k, B) = max(c + λ k₀ B₀, c + λ k B) with c = {1e6 * law.overhead:.3g} µs, λ = "
        f"{1e9 * law.slope(hidden):.3g} ns a word and token with {hidden:,} hidden units, k₀ B₀ = "
        f"{law.knee / hidden:,.0f}: no product takes less than {1e6 * law.floor:.3g} µs.",
        f"At B = {batch:,}: g(k) = c_m + max(0, λ (k - k₀)) with c_m = {1e6 * law.floor:.3g} µs, "
        f"λ = {1e6 * law.slope(hidden) * batch:.3g} µs a word, k₀ = "
        f"{law.knee / hidden / batch:,.1f}.",
        f"Its error over {len(fit.timed)} products: median {100 * fit.typical:.0f} %, worst "
        f"{100 * fit.worst:+.0f} %.",
    ]


def row_sentence(rows: Sequence[Row]) -> str:
    """How far simulated rows are from what is planned with."""
    worst = max(rows, key=lambda row: abs(row.error))
    return (
        f"Rows of {len(rows)} lengths through the simulated unit, one after another: the largest "
        f"difference from ceil(k / lanes) cycles is {100 * abs(worst.error):.2g} %"
    )


def through(measured: Sequence[Through]) -> Rows:
    """Cycles that tokens took in the unit, beside what was planned of them."""
    heading = ["split", "cutoffs", "planned", "measured", "difference", "times less than full"]
    rows = [
        [one.name, listed(one.cutoffs), figure(one.planned), figure(one.cycles),
         f"{100 * one.error:+.2f} %", f"{one.gain:.2f}"]
        for one in measured
    ]  # fmt: skip
    return heading, rows


def fields(
    found: Findings,
    fit: Fit | None,
    rows: Sequence[Row],
    measured: Measured = NOTHING,
    through: Sequence[Through] = (),
) -> dict[str, Any]:
    """Everything, as plain JSON values."""
    words, cost, plan = found.vocabulary, found.cost, found.plan
    return {
        "source": words.source,
        "words": len(words),
        "tokens": words.tokens,
        "order": None if words.is_sorted else words.order.tolist(),
        "cost": _of_cost(found),
        "unit": cost.unit,
        "full": found.full,
        "cutoffs": [*plan.cutoffs],
        "planned": cost.told(plan.cost),
        "gain": found.gain,
        "clusters": [*found.clusters.lengths],
        "shares": _shares(found, found.clusters),
        "covered": {"share": COVERED, "words": words.covering(COVERED)},
        "curve": [
            {"clusters": split.tails + 1, "cutoffs": [*split.cutoffs],
             "cost": cost.told(split.cost)}
            for split in found.curve
        ],
        "splits": [
            {"name": one.rival.name, "cutoffs": [*one.rival.cutoffs], "cost": one.cost}
            for one in found.table
        ],
        "measured": [
            {"cutoffs": [*cutoffs], "cost": cost} for cutoffs, cost in measured.items()
        ],
        "through_unit": [asdict(one) for one in through],
        "two_clusters": {
            "best": found.two.best, "equal_mass": found.two.equal,
            "leaves": found.two.best_leaves,
        },
        "law": None if fit is None else asdict(fit.law),
        "timed": [] if fit is None else [asdict(one) for one in fit.timed],
        "errors": [] if fit is None else [*fit.errors],
        "rows": [asdict(row) for row in rows],
    }  # fmt: skip


def times_of(found: Findings) -> Times:
    """The cost, where it is of times."""
    assert isinstance(found.cost, Times)
    return found.cost


def _of_cost(found: Findings) -> dict[str, Any]:
    cost = found.cost
    if isinstance(cost, Cycles):
        return {"lanes": cost.lanes, "buffer_length": cost.buffer_length,
                "max_length": cost.max_length}  # fmt: skip
    times = times_of(found)
    widths = [*times.widths(found.plan.tails)]
    return {"batch": times.batch, "hidden": times.hidden, "widths": widths}


def _shares(found: Findings, made: Clusters) -> list[float]:
    edges = (0, *made.cutoffs, len(found.vocabulary))
    return [share(found, start, end) / 100 for start, end in pairwise(edges)]


def _array(value: int) -> Indices:
    return np.array([value])
