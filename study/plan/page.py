"""The page of a plan, in the frame of all report pages."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..page import frame
from . import charts, tables
from .chart import Chart, plotly
from .findings import Findings
from .fit import Fit
from .rows import Row
from .times import Times

TITLE = "Where to cut a vocabulary"
LINKS = (
    ("plan", "Plan"), ("clusters", "Clusters"), ("number", "How many"), ("two", "Two clusters"),
    ("coverage", "Coverage"), ("cost", "What it is reckoned by"),
)  # fmt: skip


def page(
    found: Findings,
    fit: Fit | None,
    rows: Sequence[Row],
    measured: tables.Measured = tables.NOTHING,
    *,
    command: str,
) -> str:
    """The document; the same bytes for the same results and the same version of Plotly.

    Args:
        fit: where the cost is of times. rows: of the simulated unit, where they were measured.
        measured: what splits took, where that was measured.
        command: that made the results.
    """
    made = f'<p class="made">Made by <code>{escape(command)}</code>.</p>'
    shown = _charts(found, fit, rows, measured)
    body = (
        _head(found),
        _plan(found, measured, made),
        frame.section("clusters", "What each cluster holds", "A token costs the head, and its "
                      "tail where its word lies in one.",
                      frame.table("clusters-table", *tables.clusters(found), words=1) + made),
        _chart("number", shown["chart-clusters"],
               frame.table("curve-table", *tables.curve(found, measured), words=2) + made),
        _chart("two", shown["chart-two"], _sentences(tables.two_sentences(found)) + made),
        _chart("coverage", shown["chart-coverage"],
               _sentences([f"{tables.covered(found.vocabulary)}."])),
        _cost(found, fit, rows, shown, made),
    )  # fmt: skip
    data = {"charts": [plotly(chart) for chart in shown.values()]}
    return frame.document(TITLE, body, data, Path(__file__).with_name("page.js"))


def _charts(
    found: Findings, fit: Fit | None, rows: Sequence[Row], measured: tables.Measured
) -> dict[str, Chart]:
    every = [
        charts.by_clusters([("planned", found)], measured),
        charts.two_clusters(found),
        charts.coverage(found.vocabulary),
    ]
    if fit is not None and isinstance(found.cost, Times):
        hidden = found.cost.hidden
        every += [charts.by_words(fit, hidden), charts.by_tokens(fit, hidden)]
    if rows:
        every.append(charts.rows(rows))
    return {chart.name: chart for chart in every}


def _head(found: Findings) -> str:
    words = found.vocabulary
    counts = [
        (f"{len(words):,}", "words"),
        (f"{words.tokens:,}", "tokens"),
        (f"{found.clusters.tails + 1}", "clusters"),
        (tables.figure(found.cost.told(found.plan.cost)), found.cost.unit),
    ]
    if found.gain is not None:
        counts.append((f"{found.gain:.1f}", "times less than all words"))
    text = f"An adaptive softmax over {words.source}, planned for {found.cost.words}."
    return frame.head(TITLE, text, counts, LINKS)


def _plan(found: Findings, measured: tables.Measured, made: str) -> str:
    lines = "\n".join(tables.copied_lines(found))
    copied = (
        '<h4><span>to copy</span><button data-copy="plan-toml">copy'
        f'</button></h4><pre id="plan-toml">{escape(lines)}\n</pre>'
    )
    table = frame.table("rivals-table", *tables.rivals(found, measured), words=2)
    words = "No split of the sorted words into as many clusters costs less. Beside it, others."
    return frame.section("plan", "The plan", words, f"<aside>{copied}</aside>{table}{made}")


def _chart(name: str, chart: Chart, rest: str) -> str:
    return frame.section(name, chart.title, chart.words, frame.chart(chart.name) + rest)


def _cost(
    found: Findings, fit: Fit | None, rows: Sequence[Row], shown: dict[str, Chart], made: str
) -> str:
    words = f"{found.cost.words[0].upper()}{found.cost.words[1:]}."
    own = [name for name in ("chart-words", "chart-tokens", "chart-rows") if name in shown]
    parts = [f"<h3>{shown[name].title}</h3>{frame.chart(name)}" for name in own]
    said = [*(tables.law_sentences(fit, found) if fit is not None else ()),
            *([f"{tables.row_sentence(rows)}."] if rows else ())]  # fmt: skip
    return frame.section(
        "cost", "What it is reckoned by", words, _sentences(said) + "".join(parts) + made
    )


def _sentences(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{escape(one)}</p>" for one in sentences)
