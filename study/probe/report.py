"""All that a probe found, and how it is told: tables, JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from ...golden.measures.row_figures import RowFigures
from . import tables
from .area import Area
from .figures import histograms
from .outcome import Outcome
from .recommend import RULE, Choice, Recommendation
from .seen import Seen
from .trials import Trial


@dataclass(frozen=True, eq=False)
class Report:
    """What was found.

    Attributes:
        subject: what was probed, in words. command: that made it. seed: of what was drawn.
        areas: of presets, by name. outcomes: of presets in the model, by name.
    """

    subject: str
    command: str
    seed: int
    sites: Sequence[Seen]
    found: Recommendation
    areas: Mapping[str, Area] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


def site_table(report: Report, *, heads: bool) -> Table:
    """Of the sites, and of each head, too, where ``heads``."""
    title = f"What enters the softmaxes of {report.subject}"
    return tables.shown(title, tables.SITE_COLUMNS, tables.site_rows(report.sites, heads=heads))


def epoch_table(report: Report) -> Table | None:
    """Of the epochs; None where there is one."""
    rows = tables.epoch_rows(report.sites)
    return tables.shown("By epoch", tables.SITE_COLUMNS, rows) if rows else None


def preset_table(report: Report) -> Table:
    """Of the presets."""
    rows = tables.choice_rows(report.found, report.areas, report.outcomes)
    return tables.shown("What the presets do to these rows", tables.CHOICE_COLUMNS, rows)


def fields(report: Report) -> dict[str, Any]:
    """All of it, of JSON."""
    found = report.found
    return {
        "subject": report.subject,
        "command": report.command,
        "seed": report.seed,
        "sites": [_site(site) for site in report.sites],
        "recommendation": {
            "sentence": found.sentence,
            "rule": RULE,
            "preset": found.preset or None,
            "input": str(found.input) if found.input else None,
            "output": str(found.output) if found.output else None,
            "row_exponent": found.row_exponent,
            "presets": [_choice(report, choice) for choice in found.choices],
            "inputs": [_trial(trial) for trial in found.inputs],
            "outputs": [_trial(trial) for trial in found.outputs],
        },
    }


def _site(site: Seen) -> dict[str, Any]:
    many = len(site.epochs) > 1
    return {
        "name": site.name,
        "decides": site.decides,
        **site.figures.to_dict(),
        "histograms": histograms(site.record),
        "heads": [each.to_dict() for each in site.heads],
        "epochs": {name: RowFigures.of(record).to_dict() for name, record in site.epochs.items()}
        if many
        else {},
    }


def _choice(report: Report, choice: Choice) -> dict[str, Any]:
    area, outcome = report.areas.get(choice.name), report.outcomes.get(choice.name)
    return {
        "name": choice.name,
        "good": choice.good,
        "limit": choice.limit,
        "clipped": choice.clipped,
        "clipped_site": choice.clipped_site,
        **_trial(choice.trial),
        "area": asdict(area) if area else None,
        "model": asdict(outcome) if outcome else None,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "name": trial.name,
        "config": trial.config.to_dict() if trial.config else None,
        "infeasible": trial.infeasible or None,
        "divergence": trial.lost if trial.costs else None,
        "kl": trial.kl,
        "top1": trial.top1,
        "sites": [asdict(cost) for cost in trial.costs],
    }
