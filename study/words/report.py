"""Shows trainings of the word model: a table, a JSON file, and a document."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from ...files import markdown_table
from ...golden.clusters import Clusters
from ..paired_report import machine
from .compared import ALLOWED, Compared
from .course import Point, Stop, perplexity
from .model import Size
from .text import HELD_OUT_EVERY, WordText

COLUMNS = (
    "softmax", "computed by", "a step", "faster", "best after", "test perplexity",
    "in full's steps", "in full's time",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Report:
    """What there is to tell.

    Attributes:
        at_least: how often words occur. command: that makes it again.
    """

    found: Sequence[Compared]
    text: WordText
    at_least: int
    clusters: Clusters
    seed: int
    size: Size
    stop: Stop
    command: str


def table(report: Report) -> Table:
    """All trainings, a line each."""
    shown = Table(title=f"a word model of {report.text.name}, by each softmax")
    for place, name in enumerate(COLUMNS):
        shown.add_column(name, justify="left" if place < 2 else "right")
    for one in report.found:
        shown.add_row(*cells(one))
    return shown


def cells(one: Compared) -> list[str]:
    """A line of the table."""
    course = one.course
    return [
        course.method,
        course.softmax,
        f"{1000 * course.seconds_a_step:.1f} ms",
        f"{one.faster:.1f} x",
        f"{course.best.step} steps, {course.best.seconds:.0f} s",
        f"{perplexity(course.best.test):.2f}",
        _beside(one, one.in_steps),
        _beside(one, one.in_time),
    ]


def _beside(one: Compared, point: Point) -> str:
    """The perplexity at a point, and what it is of full's best."""
    return f"{perplexity(point.test):.2f} ({one.ratio(point):.3f})"


def fields(report: Report) -> dict[str, Any]:
    """All of it, of JSON."""
    return {
        "command": report.command,
        **machine(),
        "text": report.text.name,
        "tokens": len(report.text.tokens),
        "at_least": report.at_least,
        "words": report.clusters.vocabulary,
        "cutoffs": report.clusters.cutoffs,
        "seed": report.seed,
        "size": asdict(report.size),
        "stop": asdict(report.stop),
        "allowed": ALLOWED,
        "trainings": [_fields(one) for one in report.found],
    }


def _fields(one: Compared) -> dict[str, Any]:
    course = one.course
    return {
        "method": course.method,
        "softmax": course.softmax,
        "seconds_a_step": course.seconds_a_step,
        "faster": one.faster,
        "best": asdict(course.best),
        "perplexity": perplexity(course.best.test),
        "in_steps": {**asdict(one.in_steps), "ratio": one.ratio(one.in_steps)},
        "in_time": {**asdict(one.in_time), "ratio": one.ratio(one.in_time)},
        "kept": one.kept,
        "points": [asdict(point) for point in course.points],
    }


def document(report: Report, picture: str) -> str:
    """All of it as Markdown.

    Args:
        picture: the name of the file beside it.
    """
    lines = [
        "# A word model by the full and by the adaptive softmax",
        "",
        f"Written by `{report.command}`; do not edit.",
        "",
        *_how(report),
        "",
        *markdown_table(COLUMNS, [cells(one) for one in report.found]),
        "",
        f"![Perplexity by time and by steps]({picture})",
        "",
        "## What it costs",
        "",
        *_costs(report),
        "",
        "## Fixed point beside floats",
        "",
        *_units(report),
    ]
    return "\n".join(lines) + "\n"


def _how(report: Report) -> Iterator[str]:
    size, stop, text, clusters = report.size, report.stop, report.text, report.clusters
    yield (
        "Does the adaptive softmax learn what the full one does? One word model is trained by the "
        "full softmax, by two levels (a class, then a word of it) and by the adaptive softmax, in "
        "floats and by the units, forward and backward in fixed point. All begin with the same "
        "seed and see the same windows in the same order."
    )
    yield ""
    yield (
        f"- Text: {text.name}, {len(text.tokens):,} tokens; the {clusters.vocabulary:,} words that "
        f"occur {report.at_least} times or more, sorted by frequency, and one for others. Every "
        f"{HELD_OUT_EVERY}th section is held out, in turn for validation and for the test."
    )
    yield (
        f"- Model: an embedding and a GRU of {size.width}, read in {size.streams} places at once, "
        f"{size.window} tokens a step; Adam with the rate {size.rate:g}. Averages of the last "
        f"hundred weights or so are measured every {stop.interval} steps, until {stop.patience} "
        "measurements bring nothing better; the test is taken where validation is best."
    )
    yield (
        f"- Adaptive: cutoffs {list(clusters.cutoffs)}: rows of "
        f"{', '.join(map(str, clusters.lengths))} elements. Each tail has half the features of the "
        "one before, the first one half the model's. Two-level: about √V classes of √V words, "
        "neighbours by frequency, all features for both."
    )
    yield (
        f"- Seed {report.seed}. In brackets: the test perplexity over the best one of the full "
        "softmax by the same floats or units, in as many steps as that took, and in as much of the "
        "processor's time. Measurements are not timed; where processors are shared, times scatter."
    )
    on = machine()
    yield (
        f"- Trained on {on['processor']}, by torch {on['torch']}, Python {on['python']}. Another "
        "processor or release of torch gives other figures."
    )


def _costs(report: Report) -> Iterator[str]:
    """Whether each of the cheaper ones keeps what is allowed, or what it loses."""
    yield f"Allowed are {ALLOWED:g} times the full softmax' best test perplexity in as many steps."
    yield ""
    for one in report.found:
        if one.course.method == "full":
            continue
        verdict = "kept" if one.kept else f"not kept; {_trade(one)}"
        yield (
            f"- {one.course.method}, {one.course.softmax}: {one.ratio(one.in_steps):.3f} at "
            f"{one.faster:.1f} times the speed of a step: {verdict}."
        )


def _trade(one: Compared) -> str:
    return f"in as much time it is {one.ratio(one.in_time):.3f}"


def _units(report: Report) -> Iterator[str]:
    """What units change, by method."""
    yield "One training each: how far one from another seed would be is not told by these figures."
    yield ""
    floats = {one.course.method: one for one in report.found if one.course.softmax == "float32"}
    for one in report.found:
        beside = floats.get(one.course.method)
        if beside is None or beside is one:
            continue
        ours, theirs = one.course.best.test, beside.course.best.test
        yield (
            f"- {one.course.method}, {one.course.softmax}: best test perplexity "
            f"{perplexity(ours):.2f}, float32's {perplexity(theirs):.2f} "
            f"({perplexity(ours) / perplexity(theirs):.4f})."
        )
