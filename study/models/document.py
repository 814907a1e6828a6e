"""The document of what softmaxes do to networks."""

from collections.abc import Iterator, Sequence

from ...files import markdown_table
from ..paired_report import machine
from .figures import METRICS, SHOWN
from .goals import Found, Verdict
from .registry import Network
from .report import cells, columns, softmaxes
from .variants import REFERENCE, ROW, Group

_EXPLAINED = (
    "- Attention's softmax is replaced in every layer and head; behind the last layer, that of "
    "probabilities and that of losses. *Attention* leaves the output float32, *output* leaves "
    "attention, *both* leaves nothing.",
    "- An agreement is with float32's answer. Where several results are largest, as where a unit's "
    "codes tie, a row counts for the share of them that are that answer.",
    "- Perplexity is that of the loss units, which take the logarithm of the row's sum: a word "
    "with p = 0 still has a loss. How many true words have p = 0 is told beside it.",
    "- Of the classifier, *right* and *calibration error* (15 bins) are of the pictures whose "
    "class is known, *confidence* is the largest probability.",
    "- Narrower floats round logits, probabilities and losses to the format, saturating, and "
    "compute in float32 between. Decimals round the logits alone.",
)


def document(
    networks: Sequence[Network],
    groups: Sequence[Group],
    found: Found,
    met: Sequence[Verdict],
    command: str,
    picture: str,
) -> str:
    """All of it as Markdown; every figure is one of those found.

    Args:
        met: goals. command: that makes it again. picture: the name of the file beside it.
    """
    on = machine("a measurement")
    lines = [
        "# What a softmax's format does to a model",
        "",
        f"Written by `{command}`; do not edit.",
        "",
        "Pretrained networks whose softmax was replaced, without any training to make up for it:",
        "",
        *(f"- `{network.name}`: {network.title}." for network in networks),
        "",
        f"![Answers that stay, by bits and range]({picture})",
        "",
        *_goals(met),
        *_missed(found),
        "## How it was measured",
        "",
        *_EXPLAINED,
        f"- Computed on {on['processor']}, by torch {on['torch']}.",
        "",
    ]
    for network in networks:
        lines += _network(network, groups, found)
    return "\n".join(lines).rstrip() + "\n"


def _goals(met: Sequence[Verdict]) -> Iterator[str]:
    if not met:
        return
    yield from ("## Goals", "")
    rows = [
        (
            f"`{one.goal.softmax}`",
            one.goal.network,
            one.goal.place,
            one.goal.asked(),
            one.shown,
            "reached" if one.reached else "**missed**",
        )
        for one in met
    ]
    heading = ("softmax", "network", "replaced in", "goal", "is", "")
    yield from (*markdown_table(heading, rows), "")


_STEPS = (
    ("its range alone (x to ±10)", "x to ±10"),
    ("its output alone", "SQ(8, 8) → UQ(0, 8) by row"),
    ("its output and its input's steps, nothing clipped", "SQ(8, 3) → UQ(0, 8) by row"),
    ("its range and its input's steps, 16 output bits", "SQ(5, 3), ±10 → UQ(0, 16)"),
    ("all of it", ROW),
)
"""What :data:`.variants.ROW` is made of, and the softmaxes that have a part of it."""


def _missed(found: Found) -> Iterator[str]:
    """What the preset of few bits misses, part by part, as far as it was measured."""
    for network, place in (("smollm2", "both"), ("minilm", "attention")):
        known = [(what, found[network, name]) for what, name in _STEPS if (network, name) in found]
        if len(known) < 2:
            continue
        metric = "agreement" if place == "both" else "least_cosine"
        shown = METRICS[network][metric]
        parts = [f"with {what} {shown.shown(figures[place][metric])}" for what, figures in known]
        yield from (f"What `{ROW}` misses, {network}, {shown.name}: {'; '.join(parts)}.", "")


def _network(network: Network, groups: Sequence[Group], found: Found) -> Iterator[str]:
    """A table each group, with float32 as its first line."""
    yield from (f"## {network.name}", "", *_alone(network.name, found))
    for group in groups:
        yield from (f"### {group.name}: {group.question}", "")
        yield from (*markdown_table(_heading(network.name), _rows(network, group, found)), "")


def _alone(network: str, found: Found) -> Iterator[str]:
    """float32's figures that no table shows."""
    figures, places = found[network, REFERENCE.name], SHOWN[network]
    last = list(places)[-1]
    for name, metric in METRICS[network].items():
        if not any(name in names for names in places.values()):
            yield from (f"float32's {metric.name}: {metric.shown(figures[last][name])}.", "")


def _heading(network: str) -> list[str]:
    named = len(SHOWN[network]) > 1
    return ["softmax", *(f"{place}: {name}" if named else name for place, name in columns(network))]


def _rows(network: Network, group: Group, found: Found) -> Iterator[list[str]]:
    for part in (None, group):
        for softmax in softmaxes(part):
            yield [softmax.name, *cells(network.name, softmax, found)]
