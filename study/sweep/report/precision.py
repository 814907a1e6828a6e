"""What the figures say in plain words, and what is recommended: every sentence from the results."""

from collections.abc import Iterable, Mapping

from .catalogue import METRICS, figure_text, share_text
from .curves import FACTOR, WIDTHS, Curve, curve, nearest, swept_widths
from .figures import source_facts
from .gathered import Gathered, Point, Source
from .recommend import YARDSTICK, Limit, Recommendation, Verdict
from .tables import seeds_text, table_lines

MINUS = "\N{MINUS SIGN}"

ABOUT = {
    "digits": "the last layer of a classifier of handwritten digits, ten classes",
    "attention": "attention scores of a small causal language model, after training",
    "training": "attention scores of the same model in the course of its training",
}

_SPOKEN = {
    "max_error_unclipped": "the largest error",
    "bound_absolute": "the proven bound",
    "kl": "the KL divergence",
    "loss_change": "the change of the mean loss",
    "loss_bound_ulp": "the proven bound of the loss",
    "backward_max_error_unclipped": "the largest gradient error",
    "zero_share": "the share of zeros",
}

_MAIN = {
    "input": ("max_error_unclipped",),
    "output": ("max_error_unclipped", "kl"),
    "grad_input": ("backward_max_error_unclipped",),
    "grad_output": ("backward_max_error_unclipped",),
    "loss": ("loss_change",),
}
"""The metrics that a width is told by; widths inside by the proven bound."""


def precision_text(
    gathered: Gathered,
    sources: Iterable[Source],
    recommendations: Mapping[str, Recommendation],
    made: str,
) -> str:
    """The document, in Markdown."""
    rows = {source.name: source for source in sources}
    lines = ["# How many bits a softmax needs", "", made, "", "## In short", ""]
    lines += _summary(gathered, recommendations)
    lines += ["", "## The rule", "", *_rule(gathered, recommendations)]
    for source in gathered.sources:
        if points := gathered.of_source(source):
            lines += ["", f"## {source}", "", _opening(source, rows.get(source), points), ""]
            lines += [f"- {sentence}" for sentence in seen(points)]
            lines += ["", *_clip_lines(points)]
            lines += _recommended(gathered, source, recommendations.get(source))
    lines += ["", "## Limits", "", _limits_of_all(gathered), ""]
    return "\n".join(lines)


def answer(told: Recommendation) -> str:
    """A recommendation in a line."""
    if told.chosen is None:
        return "none of the measured configurations"
    return told.chosen.point.configuration.label


def cost(verdict: Verdict) -> str:
    """What a configuration costs, in a few words."""
    if verdict.design is None:
        return f"{verdict.point.configuration.port_bits} bits in and out, not synthesised"
    lanes = f"{verdict.design.lanes} lane{'s' * (verdict.design.lanes > 1)}"
    return f"{verdict.design.lut:,.0f} LUT on {verdict.design.target}, {lanes}"


def reason(told: Recommendation) -> str:
    """Why it is recommended, in two or three sentences."""
    if told.chosen is None:
        if told.closest is None:
            return "Nothing was measured."
        return (
            f"None of {told.measured:,} configurations loses as little as {YARDSTICK} in every "
            f"metric. The closest is {told.closest.point.configuration.label}: "
            f"{_against(told.closest)}."
        )
    sentences = [
        f"{told.passing:,} of {told.measured:,} measured configurations lose no more than "
        f"{YARDSTICK}.",
        f"This is the cheapest of them: {cost(told.chosen)}."
        if told.chosen.design
        else _not_designed(told),
        f"It comes closest to a limit here: {_against(told.chosen)}.",
    ]
    if told.cheaper is not None:
        sentences.append(
            f"The next cheaper one fails ({told.cheaper.point.configuration.label}"
            f"{'; ' + cost(told.cheaper) if told.cheaper.design else ''}): "
            f"{_against(told.cheaper)}."
        )
    elif told.chosen.design:
        sentences.append("No cheaper design was synthesised, so fewer LUT may do.")
    else:
        sentences.append("No narrower configuration was measured, so fewer bits may do.")
    return " ".join(sentences)


def _not_designed(told: Recommendation) -> str:
    least = "This is the one with the fewest bits"
    if told.chosen is None or told.target is None:
        return f"{least}; none was synthesised."
    if told.candidates == 0:
        return f"{least}; no design has widths that were measured here."
    return (
        f"{least}, and its area is not known: none of the {told.candidates} designs on "
        f"{told.target} is within the limits."
    )


def _against(verdict: Verdict) -> str:
    """The metric that is nearest to its limit, or furthest beyond it."""
    limit = verdict.worst
    distance = limit.metric.distance(verdict.point.metrics)
    return (
        f"{limit.metric.spoken} is off by {lost_text(limit, distance)}, and "
        f"{lost_text(limit, limit.most)} is allowed"
    )


def lost_text(limit: Limit, distance: float | None) -> str:
    """A distance from the ideal; shares in per cent."""
    share = limit.metric.scale == "share"
    text = share_text(distance) if share else figure_text(distance)
    return f"{text} nats" if limit.metric.scale == "nats" and distance is not None else text


def _summary(gathered: Gathered, recommendations: Mapping[str, Recommendation]) -> list[str]:
    rows = []
    for source in gathered.sources:
        told = recommendations.get(source)
        if told is None:
            continue
        metrics = told.chosen.point.metrics if told.chosen else {}
        rows.append(
            [source, answer(told), cost(told.chosen) if told.chosen else "-"]
            + [figure_text(metrics.get(name)) for name in ("max_error_unclipped", "kl")]
        )
    if not rows:
        return [f"No source has the baseline {YARDSTICK}: nothing can be recommended."]
    header = ["source", "recommended", "cost", "largest error", "KL, nats"]
    return table_lines(header, rows)


def _rule(gathered: Gathered, recommendations: Mapping[str, Recommendation]) -> list[str]:
    applied = [limit for told in recommendations.values() for limit in told.limits]
    judged = ", ".join({limit.metric.spoken: None for limit in applied})
    floors = ", ".join(
        {
            f"{limit.metric.spoken} {lost_text(limit, limit.most)}": None
            for limit in applied
            if limit.most == limit.metric.resolution
        }
    )
    lines = [
        f"A source is taken not to notice what {YARDSTICK} does to it: the logits and the "
        f"probabilities rounded to {YARDSTICK}, softmax itself in float64. A configuration is good "
        f"enough if it loses no more than that in every metric that both were measured in"
        f"{f': {judged}' if judged else ''}. A loss is the distance from what float64 gives.",
    ]
    if floors:
        lines += [
            "",
            f"Where {YARDSTICK} loses next to nothing, as much as this is too small to matter: "
            f"{floors}.",
        ]
    if gathered.targets:
        lines += [
            "",
            f"Of what is good enough the cheapest is recommended: by LUT among the designs on "
            f"{gathered.targets[0]}, and by bits, first of input and output and then inside, where "
            "no design is good enough.",
        ]
    else:
        lines += [
            "",
            "Of what is good enough the one with the fewest bits is recommended, first of input "
            "and output and then inside. No design was synthesised, so nothing is said of area.",
        ]
    return lines


def _opening(source: str, rows: Source | None, points: list[Point]) -> str:
    about = ABOUT.get(source)
    told = f"{about[0].upper()}{about[1:]}. " if about else ""
    return f"{told}{source_facts(rows)} {len(points):,} configurations were measured.".strip()


def seen(points: list[Point]) -> list[str]:
    """What the curves of a source say, a sentence or two for each width and for top-1."""
    told: dict[str, list[str]] = {}
    for width in swept_widths(points):
        sentences = [
            _curve_text(found)
            for name in _MAIN.get(width, ("bound_absolute",))
            if (found := curve(points, METRICS[name], width)) is not None
        ]
        if width == "output" and (found := curve(points, METRICS["zero_share"], width)):
            sentences.append(_zero_text(found))
        if sentences:  # widths that were swept together say the same
            told.setdefault(" ".join(sentences), []).append(WIDTHS[width])
    texts = [f"**{' and '.join(names).capitalize()} bits.** {text}" for text, names in told.items()]
    return [*texts, *_top1_text(points), *_loss_text(points)]


def _curve_text(found: Curve) -> str:
    name = _SPOKEN.get(found.metric.name, found.metric.title.lower())
    name = name[0].upper() + name[1:]
    first, last = found.bits[0], found.bits[-1]
    scale = {"": "", "share": ""}.get(found.metric.scale, f" {found.metric.scale}")
    values = {bits: f"{figure_text(found.at(bits))}{scale}" for bits in found.bits}
    if found.shape == "flat":
        gain = found.at(first) / found.at(last) if found.at(last) else 1.0
        text = (
            f"{name} is {values[first]} at {first} bits and at {last}: more bits gain nothing."
            if values[first] == values[last]
            else f"{name} is {values[first]} at {first} bits and {values[last]} at {last}: more "
            f"bits gain {f'less than a factor of {FACTOR:g}' if gain > 1 else 'nothing'}."
        )
        return text + _clip_text(found)
    if found.shape == "falling":
        return (
            f"{name} falls from {values[first]} at {first} bits to {values[last]} at {last}, the "
            "widest measured, and has not levelled off."
        )
    assert found.knee is not None, "a curve with a knee has its bits"
    return (
        f"{name} falls from {values[first]} at {first} bits to {values[found.knee]} at the knee of "
        f"{found.knee}; {last} bits give {values[last]}."
    )


def _clip_text(found: Curve) -> str:
    """Why bits do not help, where it is the clip."""
    rate = found.best[-1].metrics.get("clip_rate")
    if found.metric.name != "max_error_unclipped" or not rate:
        return ""
    return f" {share_text(rate)} of the elements are clipped there, and no bits undo that."


def _zero_text(found: Curve) -> str:
    first, last = found.bits[0], found.bits[-1]
    few, many = share_text(found.at(first)), share_text(found.at(last))
    if few == many:
        return f"{few} of the probabilities are 0, whatever the bits."
    return f"{few} of the probabilities are 0 with {first} bits, {many} with {last}."


def _top1_text(points: list[Point]) -> list[str]:
    known = [point for point in points if point.metrics.get("top1") is not None]
    if len(known) < 2:
        return []
    values = [point.metrics["top1"] or 0.0 for point in known]
    low, high = min(values), max(values)
    widest = max(
        (point.metrics.get("top1_high") or 0.0) - (point.metrics.get("top1_low") or 0.0)
        for point in known
    )
    text = (
        f"**Top-1.** The float64 winner is among the unit's largest in {share_text(low)} to "
        f"{share_text(high)} of the rows."
    )
    if high - low <= widest:
        return [f"{text} One interval of 95 % is as wide as that: top-1 tells nothing apart here."]
    close = sum(high - value <= widest for value in values)
    return [
        f"{text} {close:,} of {len(known):,} configurations lie within one interval of 95 % of the "
        "best: top-1 cannot decide between those."
    ]


def _loss_text(points: list[Point]) -> list[str]:
    known = [point.metrics for point in points if point.metrics.get("loss_change") is not None]
    if len(known) < 2:
        return []
    changes = [metrics["loss_change"] or 0.0 for metrics in known]
    before = known[0].get("loss_float")
    beside = "" if before is None else f"; in float64 it is {figure_text(before)}"
    text = (
        f"**Loss.** The mean loss changes by {_signed(min(changes))} to {_signed(max(changes))} "
        f"nats over all configurations{beside}."
    )
    errors = [m["ece"] or 0.0 for m in known if m.get("ece") is not None]
    float_error = known[0].get("ece_float")
    if errors and float_error is not None:
        text += (
            f" The expected calibration error lies between {figure_text(min(errors))} and "
            f"{figure_text(max(errors))}; float64's is {figure_text(float_error)}."
        )
    return [text]


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{figure_text(abs(value))}"


def _clip_lines(points: list[Point]) -> list[str]:
    """Where the clip lies, against the largest error: for the formats that most clips were with."""
    by_formats: dict[tuple[str, str], dict[tuple[str, float], list[Point]]] = {}
    for point in points:
        fields = point.configuration.fields
        formats = fields["input"], fields["output"]
        clip = fields["clip"], float(fields["range"])
        by_formats.setdefault(formats, {}).setdefault(clip, []).append(point)
    formats, clips = max(by_formats.items(), key=lambda item: (len(item[1]), item[0]))
    metric = METRICS["max_error_unclipped"]
    best = {clip: nearest(group, metric) for clip, group in clips.items()}
    if len(best) < 2 or any(point is None for point in best.values()):
        return []
    rows = [
        [
            f"x to ±{place:g}" if kind == "input" else f"max - x to {2 * place:g}",
            share_text(point.metrics.get("clip_rate")),
            figure_text(point.metrics.get("max_error_unclipped")),
            figure_text(point.metrics.get("kl")),
        ]
        for (kind, place), point in sorted(best.items())
        if point is not None
    ]
    table = table_lines(["clip", "elements clipped", "largest error", "KL, nats"], rows)
    return [f"What the clip costs, {formats[0]} → {formats[1]}, the best of each:", "", *table, ""]


def _recommended(gathered: Gathered, source: str, told: Recommendation | None) -> list[str]:
    if told is None:
        return [f"Nothing is recommended: {YARDSTICK} was not measured on these rows."]
    if told.chosen is None:
        return [f"**Nothing is recommended.** {reason(told)}"]
    chosen = told.chosen
    configuration = (chosen.design or chosen.point).configuration
    yardstick = gathered.baselines[source][YARDSTICK]
    rows = [
        [
            limit.metric.title,
            lost_text(limit, limit.metric.distance(chosen.point.metrics)),
            lost_text(limit, limit.most),
            lost_text(limit, limit.metric.distance(yardstick)),
        ]
        for limit in told.limits
    ]
    lines = [f"**Recommended: {chosen.point.configuration.label}.** {reason(told)}"]
    narrow = told.narrowest
    if narrow is not None and chosen.design and narrow.point is not chosen.point:
        fewer = narrow.point.configuration
        if fewer.port_bits < chosen.point.configuration.port_bits:
            lines[0] += (
                f" Fewer bits would do, {fewer.label} ({fewer.port_bits} in and out), but that was "
                "not synthesised."
            )
    lines += ["", *table_lines(["it loses", "here", "limit", YARDSTICK], rows)]
    lines += ["", "```toml", *configuration.toml, "```", ""]
    return [*lines, "```sh", " ".join(configuration.command), "```"]


def _limits_of_all(gathered: Gathered) -> str:
    text = (
        "The logits are recorded: other networks have other logits, and your own are one command "
        "away. Nothing was trained again, so what a network would learn to make up for is not "
        f"seen. That {YARDSTICK} goes unnoticed is an assumption, not a measurement. Largest "
        "errors are of these rows; only the proven bound holds for every row, and it is against "
        "the exact softmax of the clipped codes."
    )
    if gathered.designs:
        text += f" {seeds_text(gathered.designs)} Area is of the softmax unit, out of context."
    return text
