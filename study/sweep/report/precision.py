"""What the figures say in plain words, and what is recommended: every sentence from the results."""

from collections.abc import Iterable, Mapping

from ....golden.measures.catalogue import CATALOGUE
from .advice import answer, cost, lost_text, reason
from .curves import nearest
from .figures import source_facts
from .gathered import Gathered, Point, Source
from .recommend import YARDSTICK, Recommendation
from .seen import seen
from .tables import seeds_text, table_lines
from .texts import figure_text, share_text

ABOUT = {
    "digits": "the last layer of a classifier of handwritten digits, ten classes",
    "attention": "attention scores of a small causal language model, after training",
    "training": "attention scores of the same model in the course of its training",
    "smollm2_attention": "attention scores of SmolLM2-135M, a pretrained language model",
    "smollm2_output": "the last layer of SmolLM2-135M, the 1,000 likeliest words of each row",
    "minilm_attention": "attention scores of MiniLM-L6, a pretrained model of sentences",
    "efficientnet_output": "the last layer of EfficientNet-Lite0, a classifier of photographs",
}

LARGEST, CLIPPED, KL = (CATALOGUE[name] for name in ("max_error_unclipped", "clip_rate", "kl"))


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


def _summary(gathered: Gathered, recommendations: Mapping[str, Recommendation]) -> list[str]:
    rows = []
    for source in gathered.sources:
        advice = recommendations.get(source)
        if advice is None:
            continue
        metrics = advice.chosen.point.metrics if advice.chosen else {}
        rows.append(
            [source, answer(advice), cost(advice.chosen) if advice.chosen else "-"]
            + [figure_text(metric.value(metrics)) for metric in (LARGEST, KL)]
        )
    if not rows:
        return [f"No source has the baseline {YARDSTICK}: nothing can be recommended."]
    header = ["source", "recommended", "cost", LARGEST.column, KL.column]
    return table_lines(header, rows)


def _rule(gathered: Gathered, recommendations: Mapping[str, Recommendation]) -> list[str]:
    applied = [limit for advice in recommendations.values() for limit in advice.limits]
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
    opening = f"{about[0].upper()}{about[1:]}. " if about else ""
    return f"{opening}{source_facts(rows)} {len(points):,} configurations were measured.".strip()


def _clip_lines(points: list[Point]) -> list[str]:
    """Where the clip lies, against the largest error: for the formats that most clips were with."""
    by_formats: dict[tuple[str, str], dict[tuple[str, float], list[Point]]] = {}
    for point in points:
        fields = point.configuration.fields
        formats = fields["input"], fields["output"]
        clip = fields["clip"], float(fields["range"])
        by_formats.setdefault(formats, {}).setdefault(clip, []).append(point)
    formats, clips = max(by_formats.items(), key=lambda item: (len(item[1]), item[0]))
    best = {clip: nearest(group, LARGEST) for clip, group in clips.items()}
    if len(best) < 2 or any(point is None for point in best.values()):
        return []
    rows = [
        [
            f"x to ±{place:g}" if kind == "input" else f"max - x to {2 * place:g}",
            share_text(CLIPPED.value(point.metrics)),
            figure_text(LARGEST.value(point.metrics)),
            figure_text(KL.value(point.metrics)),
        ]
        for (kind, place), point in sorted(best.items())
        if point is not None
    ]
    table = table_lines(["clip", CLIPPED.column, LARGEST.column, KL.column], rows)
    return [f"What the clip costs, {formats[0]} → {formats[1]}, the best of each:", "", *table, ""]


def _recommended(gathered: Gathered, source: str, advice: Recommendation | None) -> list[str]:
    if advice is None:
        return [f"Nothing is recommended: {YARDSTICK} was not measured on these rows."]
    if advice.chosen is None:
        return [f"**Nothing is recommended.** {reason(advice)}"]
    chosen = advice.chosen
    configuration = (chosen.design or chosen.point).configuration
    yardstick = gathered.baselines[source][YARDSTICK]
    rows = [
        [
            limit.metric.title,
            lost_text(limit, limit.metric.distance(chosen.point.metrics)),
            lost_text(limit, limit.most),
            lost_text(limit, limit.metric.distance(yardstick)),
        ]
        for limit in advice.limits
    ]
    lines = [f"**Recommended: {chosen.point.configuration.label}.** {reason(advice)}"]
    narrow = advice.narrowest
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
