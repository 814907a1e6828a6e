"""What a probe saw, as tables: of the sites, of the presets, of the formats."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from ...golden.measures.row_figures import RowFigures
from ..sweep.report.texts import figure_text, share_text
from .area import Area
from .outcome import Outcome
from .recommend import Choice, Recommendation, good_enough
from .seen import Seen
from .trials import Trial

SITE_COLUMNS = (
    "site", "rows", "elements", "mean", "sd", "least", "largest", "row maximum\nmedian",
    "row maximum\n99 %", "max - min\nmedian", "first - second\nmedian", "rows within\n±10",
    "maximum\nbeyond ±10", "maximum\nbeyond ±32", "maximum\nbeyond ±128", "p below\n2^-8",
    "p below\n2^-16",
)  # fmt: skip
TRIAL_COLUMNS = ("loses, nats", "KL, nats", "winners kept", "mean Σp", "least Σp")
CHOICE_COLUMNS = (
    "preset", "good enough", "winners that saturate", *TRIAL_COLUMNS, "on a device", "in the model"
)  # fmt: skip
FORMAT_COLUMNS = ("formats", "good enough", *TRIAL_COLUMNS)

MINUS = "\N{MINUS SIGN}"


def site_rows(sites: Iterable[Seen], *, heads: bool = False) -> list[list[str]]:
    """A line each site; each head, too, where ``heads``."""
    rows = []
    for site in sites:
        rows.append(_site(site.name, site.figures))
        if heads:
            rows += [
                _site(f"{site.name}, head {head}", each) for head, each in enumerate(site.heads, 1)
            ]
    return rows


def epoch_rows(sites: Iterable[Seen]) -> list[list[str]]:
    """A line each epoch of the sites that have several."""
    return [
        _site(f"{site.name}, {name}", RowFigures.of(record))
        for site in sites
        if len(site.epochs) > 1
        for name, record in site.epochs.items()
    ]


def choice_rows(
    found: Recommendation, areas: Mapping[str, Area], outcomes: Mapping[str, Outcome]
) -> list[list[str]]:
    """A line each preset; columns that nothing is known of are empty."""
    return [
        _choice(choice, areas.get(choice.name), outcomes.get(choice.name))
        for choice in found.choices
    ]


def format_rows(trials: Sequence[Trial]) -> list[list[str]]:
    """A line each of formats that were tried together."""
    return [
        [trial.name, "yes" if good else "no", *_trial(trial)]
        for trial, good in zip(trials, good_enough(trials), strict=True)
    ]


def shown(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """For a terminal: the first column is of words; empty ones are left out."""
    table = Table(title=title)
    names, filled = without_empty(columns, rows)
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left")
    for row in filled:
        table.add_row(*row)
    return table


def without_empty(
    columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """Columns and rows without the columns that nothing is in."""
    rows = list(rows)
    kept = [place for place, _ in enumerate(columns) if any(row[place] for row in rows)]
    return [columns[place] for place in kept], [[row[place] for place in kept] for row in rows]


def _site(name: str, of: RowFigures) -> list[str]:
    return [
        name, f"{of.rows:,}", f"{of.elements:,}",
        *map(_number, (
            of.mean, of.sd, of.logit.low, of.logit.high, of.top.at(50), of.top.at(99),
            of.spread.at(50), of.gap.at(50),
        )),
        *map(share_text, (
            of.within["10"], of.beyond["10"], of.beyond["32"], of.beyond["128"], of.below["8"],
            of.below["16"],
        )),
    ]  # fmt: skip


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}".replace("-", MINUS)


def _choice(choice: Choice, area: Area | None, outcome: Outcome | None) -> list[str]:
    clipped = f"{share_text(choice.clipped)}"
    if choice.clipped:
        clipped += f" ({choice.clipped_site})"
    return [
        choice.name, "yes" if choice.good else "no", clipped, *_trial(choice.trial),
        area.text if area else "", outcome.text if outcome else "",
    ]  # fmt: skip


def _trial(trial: Trial) -> list[str]:
    if trial.infeasible:
        return [trial.infeasible, *["-"] * (len(TRIAL_COLUMNS) - 1)]
    masses = [cost.mass for cost in trial.costs if cost.mass is not None]
    least = [cost.least_mass for cost in trial.costs if cost.least_mass is not None]
    return [
        figure_text(trial.lost),
        figure_text(trial.kl),
        share_text(trial.top1),
        f"{min(masses):.4f}" if masses else "-",
        f"{min(least):.4f}" if least else "-",
    ]
