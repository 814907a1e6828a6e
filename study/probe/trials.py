"""What a unit does to rows that a probe kept: measured by the golden unit, site by site."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...golden.config import SoftmaxConfig
from ...golden.errors import ConfigError
from ...golden.measures.catalogue import CATALOGUE
from ...golden.measures.losses import Losses
from ...golden.measures.metrics import Agreement, Metrics, Probabilities, probabilities
from ...golden.measures.ragged import Ragged
from ...golden.measures.summary import mean_of
from ...golden.rows import LogitRows
from ...golden.units.softmax import softmax_rows
from .seen import Seen

LONGEST = 65536
"""Elements of a row, at most: no unit takes longer ones."""
SEARCHED_ROWS, SEARCHED_ELEMENTS = 16, 1 << 14
"""Of a site, where many formats are tried: so many rows, or more of so many elements in all."""
TINY = 1e-300
"""Least probability of float64 that is told from 0."""
NOTICED = CATALOGUE["kl"].resolution
"""Nats that a row may lose: less is taken as not noticed, as by the sweep."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a unit does to some rows of a site; ``None`` of no row.

    Attributes:
        divergence: mean over rows of sum p ln(p / float64's p) + 1 - sum p, in nats: the divergence
            of the unit from float64, with what the sum lacks of 1.
        kl: mean KL(float64 || unit) in nats, zeros raised to half an LSB, which counts much where
            there are many classes. top1: share of the rows whose winner stays, ties
            shared out. mass, least_mass: sum of p, mean and least. clipped: share of the rows
            whose winner saturates.
        rows: that it was tried on. decides: see :class:`.seen.Seen`.
    """

    site: str
    rows: int
    decides: bool
    divergence: float | None
    kl: float | None
    top1: float | None
    mass: float | None
    least_mass: float | None
    clipped: float | None


@dataclass(frozen=True, eq=False)
class Trial:
    """A unit, and what it does at every site.

    Attributes:
        name: of the preset or format. infeasible: why there is no such unit; empty where there is.
    """

    name: str
    config: SoftmaxConfig | None
    costs: Sequence[Cost]
    infeasible: str = ""

    @property
    def lost(self) -> float:
        """The divergence of the site that loses most."""
        return self.worst.divergence or 0.0 if self.worst else np.inf

    @property
    def worst(self) -> Cost | None:
        """The site that loses most."""
        return max(self.costs, key=lambda cost: cost.divergence or 0.0, default=None)

    @property
    def kl(self) -> float | None:
        """The largest of all sites."""
        return max((cost.kl for cost in self.costs if cost.kl is not None), default=None)

    @property
    def top1(self) -> float | None:
        """Over the rows of all sites that decide; None where none does."""
        costs = [cost for cost in self.costs if cost.decides and cost.top1 is not None]
        rows = sum(cost.rows for cost in costs)
        return sum(cost.rows * (cost.top1 or 0.0) for cost in costs) / rows if rows else None


def tried(name: str, config: SoftmaxConfig, sites: Iterable[Seen]) -> Trial:
    """Try a unit on the rows that were kept of every site; ``max_length`` is raised to them."""
    kept = [(site, rows) for site in sites if (rows := usable(site)) is not None]
    longest = max((rows.values.shape[1] for _, rows in kept), default=1)
    try:
        config = config.replace(max_length=max(config.max_length, longest))
    except ConfigError as error:
        return Trial(name, None, (), str(error))
    return Trial(name, config, [_cost(site, config, rows) for site, rows in kept])


def usable(site: Seen) -> LogitRows | None:
    """The rows of a site that a unit takes; None where there is none."""
    if site.sample is None:
        return None
    fits = np.flatnonzero(site.sample.lengths <= LONGEST)
    return site.sample.take(fits) if fits.size else None


def fewer(site: Seen) -> Seen:
    """The site with so few rows that many formats can be tried."""
    rows = usable(site)
    if rows is None:
        return site
    count = int(np.searchsorted(np.cumsum(rows.lengths), SEARCHED_ELEMENTS)) + 1
    count = max(count, SEARCHED_ROWS)
    return Seen(site.name, site.epochs, rows.take(slice(0, count)), site.decides)


def _cost(site: Seen, config: SoftmaxConfig, rows: LogitRows) -> Cost:
    result = softmax_rows(rows.codes(config), config, ~rows.active)
    given = probabilities(result, rows, config)
    layout = Ragged(rows)
    best = layout.is_largest(layout.flat(rows.values))
    measured = Metrics.of(given, Losses.of(config, rows, result.p, result.exponent))
    return Cost(
        site=site.name,
        rows=len(rows.lengths),
        decides=site.decides,
        divergence=_divergence(given),
        kl=measured.mean_kl,
        top1=Agreement.of(given, best).top1,
        mass=measured.sum_mean,
        least_mass=measured.sum_min,
        clipped=measured.winner_clip_rate,
    )


def _divergence(given: Probabilities) -> float | None:
    """See :class:`Cost`."""
    p, layout = given.p, given.layout
    ratio = np.where(p > 0, p, 1) / np.where(p > 0, np.maximum(given.exact, TINY), 1)
    rows = layout.real_sums(p * np.log(ratio) - p) + 1
    return mean_of(rows[layout.filled])
