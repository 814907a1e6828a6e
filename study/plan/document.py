"""The document of planned cutoffs: how they are found, and what they save on real counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...files import markdown_table
from . import charts, tables
from .chart import svg
from .cost import total
from .cycles import Cycles
from .findings import Findings
from .fit import Fit
from .optimal import Planner
from .rows import Row
from .vocabulary import Vocabulary

BUFFERS = (1024, 16384, 65536)
"""Longest rows that are sent once."""
PLANNED = 5
"""Clusters that are told of first."""
CLUSTERS = (PLANNED, 8)
"""Of plans: those, and the most of a unit."""
NEAR = 0.05
"""Of measured times, relative: what another moment of the machine can change."""
PICTURES = ("cycles", "products", "text")
"""Of files beside the document, each after its name."""


@dataclass(frozen=True, eq=False)
class Study:
    """What the document tells.

    Attributes:
        cycles: of the first vocabulary, by the longest row that is sent once.
        times: of the same, on a processor. place: which that is. fit: of its products.
        floors: the same, had its products floors so many times as high.
        measured: ms that splits by time took. rows: of the simulated unit.
        vocabularies: the first one, and others.
    """

    cycles: dict[int, Findings]
    times: Findings
    floors: dict[int, Findings]
    place: str
    fit: Fit
    measured: tables.Measured
    rows: Sequence[Row]
    vocabularies: Sequence[Vocabulary]

    @property
    def hidden(self) -> int:
        """Units before the logits."""
        return tables.times_of(self.times).hidden


def pictures(study: Study) -> dict[str, str]:
    """The pictures by name, as SVG."""
    first, *_ = study.cycles.values()
    of_cycles = [(f"rows to {buffer:,} once", one) for buffer, one in study.cycles.items()]
    drawn = (
        [charts.two_clusters(first), charts.by_clusters(of_cycles), charts.rows(study.rows)],
        [charts.by_words(study.fit, study.hidden), charts.by_tokens(study.fit, study.hidden),
         charts.by_clusters([("planned", study.times), *_floors(study)], study.measured)],
        [charts.coverage(first.vocabulary), charts.two_clusters(study.times)],
    )  # fmt: skip
    return {name: svg(each) for name, each in zip(PICTURES, drawn, strict=True)}


def document(study: Study, command: str, names: dict[str, str]) -> str:
    """All of it as Markdown; every figure is one of the study.

    Args:
        command: that makes it again. names: files of the pictures.
    """
    lines = [
        "# Where to cut a vocabulary",
        "",
        f"Written by `{command}`; do not edit.",
        "",
        "An adaptive softmax has its frequent words in a short head, with an entry for every tail "
        "of rarer words, and looks at a tail where the word lies in one. Where to cut is planned "
        "here: by exact dynamic programming over the words in the order of their counts, no split "
        "of them into as many clusters costs less, whether cycles of the hardware or time of the "
        "matrix products is counted.",
        "",
        *_cycles(study, names["cycles"]),
        *_others(study),
        *_times(study, names["products"]),
        *_number(study),
        *_two(study, names["text"]),
        *_AGAIN,
    ]
    return "\n".join(lines) + "\n"


def _cycles(study: Study, picture: str) -> Iterator[str]:
    yield from ("## Cycles of the hardware", "")
    yield (
        "A row of k elements takes ceil(k / lanes) cycles, and twice as many where it is longer "
        "than the row buffer and is sent twice; rows follow one another without a gap. "
        f"{tables.row_sentence(study.rows)}. The full softmax has the same buffer as its rivals."
    )
    yield ""
    for found in study.cycles.values():
        yield from (f"### {found.vocabulary.source}, {found.cost.words}", "")
        yield from (*markdown_table(*tables.rivals(found)), "")
    yield (
        "Classes of about √V words, the older two levels, take fewer cycles than five clusters, "
        "with many more of them than the unit's eight and no word in the head; a processor with a "
        "floor pays it for each class that a batch meets (below)."
    )
    yield from ("", f"![Cycles by split, by clusters, and of a row]({picture})", "")


def _others(study: Study) -> Iterator[str]:
    """Cycles of all vocabularies."""
    yield from ("## Other vocabularies", "")
    heading = ["counts", "words", "rows sent once", "full softmax",
               *(f"planned, {count} clusters" for count in CLUSTERS),
               *(f"times less, {count} clusters" for count in CLUSTERS)]  # fmt: skip
    rows = [
        _saved(words, buffer)
        for words in study.vocabularies
        for buffer in BUFFERS
    ]  # fmt: skip
    yield from (*markdown_table(heading, rows), "")
    yield from (f"{tables.covered(words)}.  " for words in study.vocabularies)
    yield ""


def _saved(words: Vocabulary, buffer: int) -> list[str]:
    """Cycles a token of the full softmax and of plans."""
    cost = Cycles(words, buffer_length=buffer)
    full, curve = total(cost, ()), Planner(cost).curve(max(CLUSTERS) - 1)
    least = [min(one.cost for one in curve if one.tails < count) for count in CLUSTERS]
    return [words.source, f"{len(words):,}", f"{buffer:,}", tables.figure(cost.told(full)),
            *(tables.figure(cost.told(each)) for each in least),
            *(f"{full / each:.1f}" for each in least)]  # fmt: skip


def _times(study: Study, picture: str) -> Iterator[str]:
    found = study.times
    yield from ("## Time of the products that make the logits", "")
    yield (
        f"Of hidden units and a layer's weights, measured on {study.place}, the products taking "
        "turns, the least time of each. "
        + " ".join(tables.law_sentences(study.fit, study.times))
        + " Points that lie off the law are those of few tokens, whose weights are read for "
        "little work, and of few words."
    )
    yield from ("", f"![Time of a product by words and by tokens, and of plans]({picture})", "")
    yield (
        f"For {found.cost.words}, the head's of full width, a tail's after a projection to "
        f"{found.cost.widths(1)[0]}:"
    )
    yield from ("", *markdown_table(*tables.rivals(found, study.measured)), "")
    yield (
        "Measured is the sum of a split's products, each of its own size; tails that meet no token "
        "of a batch are left out there, and are not by the law."
    )
    yield ""
    yield (
        "Why rare clusters waste a fast processor: a tail sees p B of a batch's B tokens, and no "
        "product takes less than the floor, however few they are: that of a GPU is high beside "
        f"what its work takes. Here the {2 * found.plan.tails + 1} products of the plan would take "
        f"{100 * _floor_share(study):.1f} % of its time without any work:"
    )
    yield from ("", *markdown_table(*tables.clusters(found)), "")


def _floor_share(study: Study) -> float:
    """Of the plan's time: what its products take at least, two a tail."""
    plan = study.times.plan
    return (2 * plan.tails + 1) * study.fit.law.floor / plan.cost


def _floors(study: Study) -> list[tuple[str, Findings]]:
    return [(f"a floor {factor} times as high", found) for factor, found in study.floors.items()]


def _number(study: Study) -> Iterator[str]:
    """What more clusters save."""
    yield from ("## How many clusters", "")
    took = {split.tails + 1: study.measured[split.cutoffs] for split in study.times.curve}
    least = min(took.values())
    near = [clusters for clusters, time in took.items() if time <= (1 + NEAR) * least]
    first = min(study.cycles)
    cycles = study.cycles[first]
    few, many = (next(one for one in cycles.curve if one.tails == tails) for tails in (4, 20))
    yield (
        f"Of the splits that were measured, those within {100 * NEAR:g} % of the fastest have "
        f"{near[0]} to {near[-1]} clusters, and five take "
        f"{100 * (took[PLANNED] / least - 1):.0f} % longer than it; by the law, "
        f"{_quickest(study.times)} clusters are the fastest. Grave et al. found 10 to 15 fastest "
        "on their GPUs, and little gain beyond 5. "
        + " ".join(
            f"Were the floor {factor} times as high, {_quickest(one)} would be fastest."
            for factor, one in study.floors.items()
        )
        + " Cycles have no floor but the beat, and go on "
        f"falling: with 21 clusters and rows above {first:,} elements sent twice they are "
        f"{few.cost / many.cost:.1f} times fewer than with five."
    )
    yield from ("", *markdown_table(*tables.curve(study.times, study.measured)), "")


def _quickest(found: Findings) -> int:
    """Clusters of the cheapest split of all."""
    return min(found.curve, key=lambda split: split.cost).tails + 1


def _two(study: Study, picture: str) -> Iterator[str]:
    yield from ("## Two clusters, and what a text is made of", "")
    for found in (study.cycles[min(study.cycles)], study.times):
        yield (
            f"{found.cost.words[0].upper()}{found.cost.words[1:]}. "
            + " ".join(tables.two_sentences(found))
        )
        yield ""
    yield f"![What the most frequent words cover, and two clusters by time]({picture})"
    yield ""


_AGAIN = (
    "## Again",
    "",
    "`make counts` fetches the lists of words that are not ours, `make plan ARGS=--write` measures "
    "and writes this file. Times are those of the machine that it runs on; let it do nothing else. "
    "`softmaxfx plan --text FILE` plans for a text of your own, `--help` tells the rest.",
)
