"""The results as CSV and Markdown: the same bytes for the same results, no times, no versions."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from ....golden.config import field_names
from ....golden.measures.catalogue import CATALOGUE, KEPT, POINT
from ....golden.measures.metric import WHOLE, Metric
from .curves import FAIR_RULE, KNEE_RULE, WIDTHS, curve, matters, swept_widths
from .fronts import FRONT, pareto, placed
from .gathered import Design, Gathered, Row, key_text
from .texts import baseline_order, baseline_title, figure_text

FRONT_METRIC = CATALOGUE["max_error_unclipped"]
"""The error of the tables of fronts."""

COST = tuple(
    CATALOGUE[name]
    for name in (
        "lut", "ff", "dsp", "bram", "fmax_mhz", "seeds", "elements_per_cycle", "latency_cycles",
        "melem_per_s", "melem_per_s_per_lut",
    )
)  # fmt: skip
"""What the table of designs tells."""


def csv_text(rows: Iterable[Row]) -> str:
    """Every row that is finished, sorted by key: done, infeasible or failed.

    Columns: what the row is, every field of the configuration, every metric. Numbers are written
    so that they read back exactly.
    """
    finished = sorted(
        (row for row in rows if row.status in ("done", "infeasible", "failed")),
        key=lambda row: key_text(row.key),
    )
    named = {name for row in finished for name in (row.metrics or {})}
    known = [metric.name for metric in KEPT if metric.name in named]
    metrics = [*known, *sorted(named - set(known))]
    fields = {name for row in finished for name in row.fields}
    columns = [name for name in field_names() if name in fields]
    columns += sorted(fields - set(columns))
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["key", "kind", "source", "status", "reason", *columns, *metrics])
    for row in finished:
        figures = row.metrics or {}
        writer.writerow(
            [key_text(row.key), row.kind, row.source, row.status, row.reason or ""]
            + [_cell(row.fields.get(name)) for name in columns]
            + [_cell(figures.get(name)) for name in metrics]
        )
    return written.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def markdown(gathered: Gathered, made: str) -> str:
    """The twin of the page: fronts, knees, costs, baselines, and what could not be built."""
    lines = ["# The bitwidth sweep", "", made, ""]
    lines += [counts_text(gathered), ""]
    for title, body in (
        ("Area against error", _front_lines(gathered)),
        ("Metrics against bits", _knee_lines(gathered)),
        ("Designs", _design_lines(gathered)),
        ("Float formats on the same rows", _baseline_lines(gathered)),
        ("Infeasible combinations", _refused_lines(gathered.infeasible)),
        ("Failed", _refused_lines(gathered.failed)),
        ("What the metrics mean", _metric_lines(gathered)),
    ):
        if body:
            lines += [f"## {title}", "", *body, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def counts_text(gathered: Gathered) -> str:
    """What the sweep consists of, in a sentence or two."""
    text = (
        f"{len(gathered.points):,} points on {len(gathered.sources)} "
        f"source{'s' * (len(gathered.sources) != 1)}, {len(gathered.designs)} designs, "
        f"{len(gathered.infeasible):,} infeasible combinations."
    )
    if gathered.failed:
        text += f" {len(gathered.failed):,} entries failed."
    if gathered.unfinished:
        text += f" {gathered.unfinished:,} entries are not finished yet."
    return text


def seeds_text(designs: Iterable[Design]) -> str:
    """What the frequencies are worth, in a sentence."""
    seeds = sorted({design.seeds for design in designs})
    if not seeds:
        return "No design was synthesised."
    if seeds[-1] == 1:
        return "Each frequency is from one seed of place-and-route: take it as ±10 %."
    if seeds[0] == 1:
        return (
            f"Frequencies are medians of up to {seeds[-1]} seeds of place-and-route; one from a "
            "single seed is ±10 %."
        )
    shown = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return (
        f"Each frequency is the median of {shown} seeds of place-and-route, least and most beside."
    )


def design_header(gathered: Gathered) -> list[str]:
    """The titles of the columns of the cost table; the first two are words."""
    errors = [f"{FRONT_METRIC.column}, {source}" for source in gathered.sources]
    costs = (metric.column for metric in (*COST, CATALOGUE["bound_ulp"]))
    return ["design", "target", "lanes", *costs, *errors]


def design_rows(gathered: Gathered) -> list[list[str]]:
    """The cost table: every design by target and LUT, with the errors measured for its widths."""
    ordered = sorted(
        gathered.designs, key=lambda d: (d.target, d.lanes, d.lut, d.configuration.effort)
    )
    measured: dict[tuple[str, str], Mapping[str, float | None]] = {}
    for point in gathered.points:
        measured.setdefault((point.configuration.probabilities, point.source), point.metrics)
    rows = []
    for design in ordered:
        found = [
            measured.get((design.configuration.probabilities, source), {})
            for source in gathered.sources
        ]
        bounds = [m["bound_ulp"] for m in found if m.get("bound_ulp") is not None]
        rows.append(
            [design.configuration.label, design.target, str(design.lanes)]
            + [_figure(design, metric) for metric in COST]
            + [figure_text(bounds[0] if bounds else None)]
            + [figure_text(FRONT_METRIC.value(m)) for m in found]
        )
    return rows


def _figure(design: Design, metric: Metric) -> str:
    value = metric.value(design.metrics)
    if metric.name == "fmax_mhz" and value is not None:
        low, high = (design.metrics.get(f"fmax_{end}") for end in ("min", "max"))
        spread = f" ({low:.1f}-{high:.1f})" if low is not None and high is not None else ""
        return f"{metric.text(value)}{spread if design.seeds > 1 else ''}"
    if metric.digits == WHOLE and value is not None:
        return metric.text(value)
    return figure_text(value)


def baseline_header(gathered: Gathered, source: str) -> list[str]:
    """The titles of the columns of a source's baselines."""
    return ["format", *(metric.heading for metric in _baseline_metrics(gathered, source))]


def baseline_rows(gathered: Gathered, source: str) -> list[list[str]]:
    """A source's baselines, a line each."""
    metrics = _baseline_metrics(gathered, source)
    found = gathered.baselines.get(source, {})
    return [
        [baseline_title(name), *(figure_text(metric.value(found[name])) for metric in metrics)]
        for name in sorted(found, key=baseline_order)
    ]


def _baseline_metrics(gathered: Gathered, source: str) -> list[Metric]:
    names = {name for found in gathered.baselines.get(source, {}).values() for name in found}
    return [metric for metric in POINT if metric.name in names]


def table_lines(header: list[str], rows: list[list[str]]) -> list[str]:
    """A table in Markdown."""

    def line(row: list[str]) -> str:
        cells = (" ".join(cell.split()).replace("|", "\\|") for cell in row)
        return f"| {' | '.join(cells)} |"

    return [line(header), "|---" * len(header) + "|", *map(line, rows)]


def _front_lines(gathered: Gathered) -> list[str]:
    rows = []
    for source in gathered.sources:
        for target in gathered.targets:
            for lanes in sorted({d.lanes for d in gathered.designs if d.target == target}):
                group = placed(gathered, source, target, lanes, FRONT_METRIC)
                for i in pareto(group, FRONT_METRIC):
                    values = group[i].point.metrics
                    errors = [figure_text(metric.value(values)) for metric in FRONT]
                    rows.append(
                        [
                            source, target, str(lanes), group[i].point.configuration.label,
                            f"{group[i].cost:,.0f}", *errors,
                        ]
                    )  # fmt: skip
    if not rows:
        return []
    header = ["source", "target", "lanes", "configuration", "LUT"]
    header += [metric.heading for metric in FRONT]
    intro = (
        f"Designs that no other one beats in LUT and in “{FRONT_METRIC.title}” at once, for each "
        "source, target and number of lanes."
    )
    return [intro, "", *table_lines(header, rows)]


def _knee_lines(gathered: Gathered) -> list[str]:
    rows = []
    for source in gathered.sources:
        points = gathered.of_source(source)
        for width in swept_widths(points):
            for metric in POINT:
                swept = curve(points, metric, width) if matters(width, metric) else None
                if swept is not None:
                    knee = {"knee": str(swept.knee), "flat": "flat", "falling": "still falling"}
                    values = [figure_text(swept.at(bits)) for bits in swept.bits]
                    shown = ", ".join(f"{b}: {v}" for b, v in zip(swept.bits, values, strict=True))
                    rows.append([source, WIDTHS[width], metric.heading, knee[swept.shape], shown])
    if not rows:
        return []
    header = ["source", "width", "metric", "knee, bits", "bits: best value"]
    return [f"{FAIR_RULE} {KNEE_RULE}", "", *table_lines(header, rows)]


def _design_lines(gathered: Gathered) -> list[str]:
    if not gathered.designs:
        return []
    table = table_lines(design_header(gathered), design_rows(gathered))
    return [seeds_text(gathered.designs), "", *table]


def _baseline_lines(gathered: Gathered) -> list[str]:
    lines = []
    for source in gathered.sources:
        if rows := baseline_rows(gathered, source):
            table = table_lines(baseline_header(gathered, source), rows)
            lines += [f"### {source}", "", *table, ""]
    return lines[:-1]


def _refused_lines(refused: list[Any]) -> list[str]:
    if not refused:
        return []
    return table_lines(["combination", "reason"], [[r.label, r.reason] for r in refused])


def _metric_lines(gathered: Gathered) -> list[str]:
    """Every metric that was measured, by the name of its column in the CSV."""
    found = {name for one in (*gathered.points, *gathered.designs) for name in one.metrics}
    rows = [
        [metric.name, metric.title, metric.unit, metric.sense or "", metric.meaning]
        for metric in KEPT
        if metric.name in found
    ]
    return table_lines(["name", "metric", "unit", "better", "meaning"], rows)
