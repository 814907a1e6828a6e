"""The report as one HTML file, in the frame of all report pages."""

from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path

from ...page import frame
from .advice import answer, cost, reason
from .curves import FAIR_RULE, KNEE_RULE
from .figures import page_data
from .gathered import Gathered, Source
from .recommend import YARDSTICK, Recommendation
from .tables import (
    baseline_header,
    baseline_rows,
    design_header,
    design_rows,
    seeds_text,
)

FIGURES = ("fig-front", "fig-bits", "fig-map", "fig-logits")
"""Ids of the figures' elements."""

_FRONT_WORDS = (
    "Each mark is a configuration; the line joins those that no other one beats in cost and error "
    "at once. Click a mark to see its configuration. Dotted lines are float formats and roundings "
    "on the same rows."
)
_BITS_WORDS = (
    f"The solid line is the best configuration with so many bits, the dashed one the median. "
    f"{FAIR_RULE} {KNEE_RULE} Top-1 shares ties out; its "
    "bars are 95 % intervals."
)
_MAP_WORDS = f"Each cell is the best configuration with those two widths. {FAIR_RULE}"
_LOGITS_WORDS = (
    "How many elements lie where, on a log scale. The dashed line is the clip of the recommended "
    "configuration, or of most configurations; the ticks at the foot are the other clips of the "
    "sweep. What lies beyond a clip is drawn in to it. A clip of the difference to the row's "
    "largest element leaves the largest ones as they are."
)


def page(
    gathered: Gathered,
    sources: Iterable[Source],
    recommendations: Mapping[str, Recommendation],
    *,
    command: str,
    seed: int,
) -> str:
    """The document; the same bytes for the same results and the same version of Plotly.

    Args:
        command: that made the results, shown under every figure. seed: by which rows were drawn.
    """
    sources = list(sources)
    data = page_data(gathered, sources, recommendations)
    made = f'<p class="made">Made by <code>{escape(command)}</code>, seed {seed}. {{more}}</p>'
    body = [
        _head(gathered, seed),
        _advice(gathered, recommendations, made),
        _front(made),
        _bits(made),
        _map(made),
        _logits(made),
        _designs(gathered, made),
        _floats(gathered, made),
        _refused(gathered, made),
    ]
    script = Path(__file__).with_name("page.js")
    return frame.document("The bitwidth sweep of a softmax", body, data, script)


def _made(made: str, more: str = "") -> str:
    return made.replace("{more}", more).replace(" </p>", "</p>")


def _head(gathered: Gathered, seed: int) -> str:
    counts = [
        (f"{len(gathered.points):,}", "points measured"),
        (f"{len(gathered.sources)}", "sources of logits"),
        (f"{len(gathered.designs)}", "designs placed and routed"),
        (f"{len(gathered.infeasible):,}", "infeasible combinations"),
        (str(seed), "seed"),
    ]
    if gathered.unfinished:
        counts.insert(1, (f"{gathered.unfinished:,}", "not finished yet"))
    links = (
        ("front", "Area against error"), ("bits", "Metrics against bits"),
        ("map", "Two widths"), ("logits", "Logits and clip"), ("designs", "Cost"),
        ("floats", "Float formats"), ("infeasible", "Infeasible"),
    )  # fmt: skip
    return frame.head(
        "How many bits a softmax needs, and what they cost",
        "Fixed-point softmax units, measured on recorded logits and placed and routed on FPGAs.",
        counts,
        links,
    )


def _choice(name: str, title: str, options: str = "") -> str:
    return f'<label>{title} <select id="{name}">{options}</select></label>'


def _figure(name: str, seen: str) -> str:
    return f'<p class="seen" id="{seen}"></p><div class="plot" id="{name}"></div>'


def _advice(gathered: Gathered, recommendations: Mapping[str, Recommendation], made: str) -> str:
    shown = [recommendations[name] for name in gathered.sources if name in recommendations]
    if not shown:
        return ""
    cards = frame.cards(
        (
            f"{one.source}{': ' + cost(one.chosen) if one.chosen else ''}",
            answer(one),
            reason(one),
        )
        for one in shown
    )
    words = (
        f"The cheapest configuration that loses no more than {YARDSTICK} logits and probabilities "
        "do, for each source; precision.md has the rule and the limits."
    )
    return frame.section("advice", "What is recommended", words, f"{cards}{_made(made)}")


def _front(made: str) -> str:
    choices = (
        _choice("front-source", "source")
        + _choice("front-cost", "cost")
        + _choice("front-metric", "error")
    )
    panel = (
        '<aside id="picked" aria-live="polite"><h3 id="picked-label">Click a mark</h3>'
        '<h4><span>configuration, TOML</span><button data-copy="picked-toml">copy</button></h4>'
        '<pre id="picked-toml"></pre>'
        '<h4><span>export its Verilog</span><button data-copy="picked-command">copy</button></h4>'
        '<pre id="picked-command"></pre>'
        '<h4 id="picked-costs-title">cost</h4><dl id="picked-costs"></dl>'
        '<h4><span>on <span id="picked-source"></span></span></h4><dl id="picked-values"></dl>'
        "</aside>"
    )
    rest = (
        f'<div class="choices">{choices}</div>'
        f'<div class="with-panel"><div>{_figure("fig-front", "front-seen")}'
        f'<p class="made" id="front-note"></p>{_made(made)}</div>{panel}</div>'
    )
    return frame.section("front", "Area against error", _FRONT_WORDS, rest)


def _bits(made: str) -> str:
    choices = _choice("bits-source", "source") + _choice("bits-width", "width")
    rest = f'<div class="choices">{choices}</div>{_figure("fig-bits", "bits-seen")}{_made(made)}'
    return frame.section("bits", "Each metric against bits", _BITS_WORDS, rest)


def _map(made: str) -> str:
    choices = (
        _choice("map-source", "source")
        + _choice("map-rows", "rows")
        + _choice("map-columns", "columns")
        + _choice("map-metric", "error")
    )
    rest = f'<div class="choices">{choices}</div>{_figure("fig-map", "map-seen")}{_made(made)}'
    return frame.section("map", "An error over two widths", _MAP_WORDS, rest)


def _logits(made: str) -> str:
    options = (
        '<option value="input">logits x</option>'
        '<option value="difference">difference to the row\'s largest, max &minus; x</option>'
    )
    rest = (
        f'<div class="choices">{_choice("logits-kind", "show", options)}</div>'
        f"{_figure('fig-logits', 'logits-seen')}{_made(made)}"
    )
    return frame.section("logits", "Where the logits lie, and the clip", _LOGITS_WORDS, rest)


def _designs(gathered: Gathered, made: str) -> str:
    if not gathered.designs:
        words = "No design was synthesised."
        return frame.section("designs", "What the designs cost", words, "")
    table = frame.table("cost-table", design_header(gathered), design_rows(gathered), words=2)
    rest = f"{table}{_made(made, 'Figures of place-and-route are those of softmaxfx synth.')}"
    words = f"{seeds_text(gathered.designs)} The errors are those of the design's widths."
    return frame.section("designs", "What the designs cost", words, rest)


def _floats(gathered: Gathered, made: str) -> str:
    tables = "".join(
        f"<h3>{escape(source)}</h3>"
        + frame.table(f"floats-{i}", baseline_header(gathered, source), rows, words=1)
        for i, source in enumerate(gathered.sources)
        if (rows := baseline_rows(gathered, source))
    )
    words = (
        "Logits and probabilities are cast, softmax itself is float64; or only the probabilities "
        "are rounded to decimals. There are no LUT: these formats were not built."
    )
    if not tables:
        return frame.section("floats", "Float formats on the same rows", "None was measured.", "")
    return frame.section("floats", "Float formats on the same rows", words, tables + _made(made))


def _refused(gathered: Gathered, made: str) -> str:
    rest = ""
    for name, title, refused in (
        ("infeasible-table", "", gathered.infeasible),
        ("failed-table", "<h3>Failed</h3>", gathered.failed),
    ):
        if refused:
            rows = [[one.label, one.reason] for one in refused]
            table = frame.table(name, ["combination", "reason"], rows, words=2, long=True)
            rest += title + table
    words = (
        f"{len(gathered.infeasible):,} combinations of the sweep break a rule and were not built, "
        "each with its reason."
        if gathered.infeasible
        else "Every combination of the sweep can be built."
    )
    return frame.section(
        "infeasible", "What cannot be built", words, rest + (_made(made) if rest else "")
    )
