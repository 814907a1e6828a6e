"""The page of a probe, in the frame of all report pages."""

from html import escape
from pathlib import Path

from ...golden.measures.row_record import WITHIN
from ..page import frame, parts
from . import tables
from .figures import QUANTITIES, page_data
from .recommend import RULE
from .report import Report

FIGURES = ("fig-maximum", "fig-histogram", "fig-beyond", "fig-heads", "fig-course")
"""Ids of the figures' elements; heads and course are there where there are several."""

_MAXIMUM_WORDS = (
    "Where the largest logit of a row lies: bars hold the middle half, lines 98 % of the rows, "
    "dots are the least and the largest of all rows. A winner beyond a dashed line saturates in a "
    "unit of that range."
)
_HISTOGRAM_WORDS = (
    "How many lie where, on a log scale. Of many rows some were drawn for the logits and for first "
    "- second; the ends are exact."
)
_BEYOND_WORDS = "The share of the rows whose largest logit lies beyond plus or minus a range."
_HEADS_WORDS = "Each head of attention on its own."
_COURSE_WORDS = (
    "The share of the rows that lie wholly within "
    f"{', '.join(f'±{limit:g}' for limit in WITHIN)}, epoch by epoch."
)
_TAKE_WORDS = (
    "Measured by the golden unit on the rows that were kept; a line tells of the site that loses "
    "most."
)
_SITES_WORDS = (
    "Percentiles are within a sixteenth of their octave; the JSON file has more of them, and every "
    "head."
)


def page(report: Report) -> str:
    """The document; the same bytes for the same results and the same version of Plotly."""
    made = parts.made(report.command, report.seed)
    heads = any(site.heads for site in report.sites)
    course = any(len(site.epochs) > 1 for site in report.sites)
    sections = {
        "What to take": _take(report, made),
        "Row maxima": _figure("maximum", "Row maxima", _MAXIMUM_WORDS, made),
        "Histograms": _histogram(made),
        "Beyond a range": _figure("beyond", "Beyond a range", _BEYOND_WORDS, made),
        "Heads": _heads(made) if heads else "",
        "By epoch": _course(made) if course else "",
        "All figures": _sites(report, made),
    }
    names = ("take", "maximum", "histogram", "beyond", "heads", "course", "sites")
    links = [(name, title) for name, title in zip(names, sections, strict=True) if sections[title]]
    body = [_head(report, links), *sections.values()]
    script = Path(__file__).with_name("page.js")
    title = f"What enters the softmaxes of {report.subject}"
    return frame.document(title, body, page_data(report.sites), script)


def _head(report: Report, links: list[tuple[str, str]]) -> str:
    counts = [
        (f"{len(report.sites)}", "softmaxes"),
        (f"{sum(site.figures.rows for site in report.sites):,}", "rows"),
        (f"{sum(site.figures.elements for site in report.sites):,}", "logits"),
        (str(report.seed), "seed"),
    ]
    title = f"What enters the softmaxes of {report.subject}"
    return frame.head(title, report.found.sentence, counts, links)


def _take(report: Report, made: str) -> str:
    found = report.found
    cards = [
        ("preset", found.preset or "none of the presets", found.sentence),
        ("formats", found.formats, f"The fewest bits that are good enough. {RULE}"),
    ]
    rows = tables.choice_rows(found, report.areas, report.outcomes)
    columns, rows = tables.without_empty(tables.CHOICE_COLUMNS, rows)
    table = frame.table("preset-table", columns, rows, words=1)
    formats = frame.table(
        "format-table",
        tables.FORMAT_COLUMNS,
        [*tables.format_rows(found.inputs), *tables.format_rows(found.outputs)],
        words=1,
    )
    rest = f"{frame.cards(cards)}{table}{formats}{made}"
    return frame.section("take", "What to take", _TAKE_WORDS, rest)


def _figure(name: str, title: str, words: str, made: str, choices: str = "") -> str:
    rest = f"{choices}{parts.figure(f'fig-{name}', f'{name}-seen')}{made}"
    return frame.section(name, title, words, rest)


def _histogram(made: str) -> str:
    options = "".join(
        f'<option value="{name}">{text}</option>' for name, text in QUANTITIES.items()
    )
    choices = parts.choices(
        parts.choice("histogram-site", "softmax"),
        parts.choice("histogram-quantity", "show", options),
        parts.choice("histogram-epoch", "epoch"),
    )
    return _figure("histogram", "Histograms", _HISTOGRAM_WORDS, made, choices)


def _heads(made: str) -> str:
    named = ("standard deviation", "median row maximum", "largest row maximum",
             "median of first - second")  # fmt: skip
    options = "".join(
        f'<option value="{place}">{escape(name)}</option>' for place, name in enumerate(named)
    )
    choices = parts.choices(parts.choice("heads-figure", "show", options))
    return _figure("heads", "Heads", _HEADS_WORDS, made, choices)


def _course(made: str) -> str:
    choices = parts.choices(parts.choice("course-site", "softmax"))
    return _figure("course", "By epoch", _COURSE_WORDS, made, choices)


def _sites(report: Report, made: str) -> str:
    rows = tables.site_rows(report.sites) + tables.epoch_rows(report.sites)
    table = frame.table("site-table", _plain(tables.SITE_COLUMNS), rows, words=1)
    return frame.section("sites", "All figures", _SITES_WORDS, table + made)


def _plain(columns: tuple[str, ...]) -> list[str]:
    return [column.replace("\n", " ") for column in columns]
