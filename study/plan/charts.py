"""The charts of a plan."""

from collections.abc import Mapping, Sequence

import numpy as np

from .chart import Chart, Line, Mark
from .cost import Cutoffs
from .findings import COVERED, Findings
from .fit import Fit, Timed
from .rows import Row
from .vocabulary import Vocabulary

POINTS = 200
"""Of a curve."""
NEAR = 0.05
"""Of costs, relative: their marks would be drawn over one another."""


def two_clusters(found: Findings) -> Chart:
    """Two clusters over the words of the head."""
    two = found.two
    unit = found.cost.unit
    return Chart(
        "chart-two", "Two clusters",
        "A head of so many words and one tail of all others, or both of them tails behind a head "
        "of two entries.",
        "words of the first cluster", unit,
        (
            Line("short list in the head", two.words.tolist(), two.short_list.tolist()),
            Line("both in leaves", two.words.tolist(), two.leaves.tolist(), 1, dashed=True),
        ),
        (Mark(f"least: {two.best[0]:,}", *two.best), Mark(f"half: {two.equal[0]:,}", *two.equal)),
        "xy",
    )  # fmt: skip


def by_clusters(
    found: Sequence[tuple[str, Findings]], measured: Mapping[Cutoffs, float] | None = None
) -> Chart:
    """The cheapest split of each number of clusters, by one or more costs of one unit.

    Args:
        measured: what the splits of the first took.
    """
    plans = [one for _, one in found]
    return Chart(
        "chart-clusters", "Cheapest split into so many clusters",
        "The head counted, and each split planned anew for its number of clusters.",
        "clusters", plans[0].cost.unit,
        tuple(
            Line(name, [split.tails + 1 for split in one.curve],
                 [one.cost.told(split.cost) for split in one.curve], place)
            for place, (name, one) in enumerate(found)
        ) + _measured(plans[0], measured or {}, len(found)),
        _plans(plans),
        "y",
    )  # fmt: skip


def _plans(found: Sequence[Findings]) -> tuple[Mark, ...]:
    """The plans of some curves; of those that would lie on one another the first."""
    marks: list[Mark] = []
    for one in found:
        clusters, cost = one.plan.tails + 1, one.cost.told(one.plan.cost)
        if all(mark.x != clusters or abs(mark.y - cost) > NEAR * cost for mark in marks):
            marks.append(Mark(f"{cost:,.3g}", clusters, cost))
    return tuple(marks)


def _measured(found: Findings, measured: Mapping[Cutoffs, float], colour: int) -> tuple[Line, ...]:
    """What the splits of a curve took, if that was measured."""
    if not measured:
        return ()
    took = [measured[split.cutoffs] for split in found.curve]
    clusters = [split.tails + 1 for split in found.curve]
    return (Line("measured", clusters, took, colour, apart=True),)


def coverage(words: Vocabulary) -> Chart:
    """Which share of a text its most frequent words are."""
    ranks = np.unique(np.geomspace(1, len(words), POINTS).round().astype(np.int64))
    count = words.covering(COVERED)
    share = 100 * words.before[count] / words.tokens
    return Chart(
        "chart-coverage", "What the most frequent words cover",
        "A short list of few words holds most of a text.",
        "most frequent words", "% of the text",
        (Line(words.source, ranks.tolist(), (100 * words.before[ranks] / words.tokens).tolist()),),
        (Mark(f"{count:,} words: {share:.3g} %", count, float(share)),),
        "x",
    )  # fmt: skip


def rows(measured: Sequence[Row]) -> Chart:
    """Cycles of rows of the unit, simulated and planned with."""
    elements = [row.elements for row in measured]
    lanes = max(row.elements for row in measured if row.planned == 1)
    steps = range(1, max(elements) + 1)
    return Chart(
        "chart-rows", "A row of the unit",
        "Rows of one length after another through the simulated unit; the line is what is planned "
        "with.",
        "elements of a row", "cycles",
        (
            Line("planned with", steps, [-(-step // lanes) for step in steps]),
            Line("simulated", elements, [row.cycles for row in measured], 1, apart=True),
        ),
        logarithmic="xy",
    )  # fmt: skip


def by_words(fit: Fit, hidden: int) -> Chart:
    """Time of a product over its words, for each number of tokens."""
    kept = [one for one in fit.timed if one.hidden == hidden]
    return Chart(
        "chart-words", "Time of a product against its words k",
        "Points are measured, lines are the law, the floor is the least that any product takes.",
        "words k", "µs",
        _lines(fit, kept, "tokens", "words"),
        logarithmic="xy",
    )  # fmt: skip


def by_tokens(fit: Fit, hidden: int) -> Chart:
    """Time of a product over its tokens, for some numbers of words."""
    kept = [one for one in fit.timed if one.hidden == hidden and one.words in (16, 64, 256, 1024)]
    return Chart(
        "chart-tokens", "Time of a product against its tokens B",
        "The same times: a tail sees few tokens of a batch.",
        "tokens B", "µs",
        _lines(fit, kept, "words", "tokens"),
        logarithmic="xy",
    )  # fmt: skip


def _lines(fit: Fit, kept: Sequence[Timed], each: str, over: str) -> tuple[Line, ...]:
    """Measured points and the law's line, for each value of a field, over another; the floor."""
    letter = {"tokens": "B", "words": "k"}[each]
    lines = []
    values = sorted({getattr(one, each) for one in kept})
    for colour, value in enumerate(values):
        part = sorted(
            (one for one in kept if getattr(one, each) == value), key=lambda one: one.work
        )
        x = [getattr(one, over) for one in part]
        law = 1e6 * fit.law.seconds(np.array([float(one.work) for one in part]))
        name = f"{letter} = {value:,}"
        lines.append(Line(name, x, [1e6 * one.seconds for one in part], colour, apart=True))
        lines.append(Line("", x, law.tolist(), colour))
    ends = [min(getattr(one, over) for one in kept), max(getattr(one, over) for one in kept)]
    floor = [1e6 * fit.law.floor] * 2
    return (*lines, Line("floor", ends, floor, len(values), dashed=True))
