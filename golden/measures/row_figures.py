"""What was recorded of rows of logits, as figures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from ..types import Integers
from .bins import percentiles
from .row_record import FRACTIONS, WITHIN, RowRecord

PERCENTS = (1, 5, 25, 50, 75, 95, 99)
"""Percentiles that are told."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of numbers that were counted; ``None`` of none. ``low`` and ``high`` are exact, percentiles
    within a bin of :mod:`.bins`."""

    low: float | None
    percentiles: dict[str, float] | None
    high: float | None

    @classmethod
    def of(cls, counts: Integers, low: float, high: float) -> "Distribution":
        """Of a histogram."""
        if not counts.any():
            return cls(None, None, None)
        found = percentiles(counts, [percent / 100 for percent in PERCENTS], low, high)
        return cls(low, dict(zip(map(str, PERCENTS), found.tolist(), strict=True)), high)

    def at(self, percent: int) -> float | None:
        """A percentile."""
        return None if self.percentiles is None else self.percentiles[str(percent)]


@dataclass(frozen=True, slots=True)
class RowFigures:
    """Of rows of logits; shares are ``None`` where there is nothing that they are of.

    Attributes:
        rows, elements: that were recorded. empty, invalid: rows that were left out, without an
            element that takes part or with NaN or +inf.
        logit: of the elements. mean, sd: of the elements.
        top: of the rows' maxima. spread: of max - min. gap: between the two largest.
        within: shares of the rows that lie wholly between plus and minus a number.
        beyond: shares of the rows whose maximum lies beyond plus or minus a number, so that it
            saturates in a unit of that range.
        below: shares of the elements whose probability is below one LSB, by fraction bits.
        drawn_rows, drawn_elements: that logit's percentiles, mean, sd, gap and below are of.
    """

    rows: int
    elements: int
    empty: int
    invalid: int
    mean: float | None
    sd: float | None
    logit: Distribution
    top: Distribution
    spread: Distribution
    gap: Distribution
    within: dict[str, float | None]
    beyond: dict[str, float | None]
    below: dict[str, float | None]
    drawn_rows: int
    drawn_elements: int

    @classmethod
    def of(cls, record: RowRecord) -> "RowFigures":
        """Of all groups of a record as one."""
        one = record.merged()
        rows, seen = int(one.rows[0]), int(one.seen_elements[0])
        mean, sd = _moments(float(one.total[0]), float(one.square[0]), seen)
        return cls(
            rows=rows,
            elements=int(one.elements[0]),
            empty=int(one.empty[0]),
            invalid=int(one.invalid[0]),
            mean=mean,
            sd=sd,
            logit=Distribution.of(one.element[0], float(one.low[0]), float(one.high[0])),
            top=Distribution.of(one.top[0], float(one.top_low[0]), float(one.top_high[0])),
            spread=Distribution.of(
                one.spread[0], float(one.spread_low[0]), float(one.spread_high[0])
            ),
            gap=Distribution.of(one.gap[0], float(one.gap_low[0]), float(one.gap_high[0])),
            within=_shares(WITHIN, one.within[0], rows),
            beyond=_shares(one.ranges[0].tolist(), one.beyond[0], rows),
            below=_shares(FRACTIONS, one.below[0], seen),
            drawn_rows=int(one.seen_rows[0]),
            drawn_elements=seen,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def _moments(total: float, square: float, count: int) -> tuple[float | None, float | None]:
    """(mean, standard deviation) from sums."""
    if not count:
        return None, None
    mean = total / count
    return mean, sqrt(max(square / count - mean**2, 0.0))


def _shares(limits: Sequence[float], counts: Integers, of: int) -> dict[str, float | None]:
    return {
        f"{limit:g}": int(count) / of if of else None
        for limit, count in zip(limits, counts, strict=True)
    }
