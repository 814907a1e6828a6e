"""``softmaxfx plan``: where to cut a vocabulary for an adaptive softmax."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from .decorators import options
from .endings import OneSentence
from .files import json_text, require_file, write_whole
from .golden.errors import require
from .golden.proofs.adaptive import MAX_CLUSTERS
from .options import is_given
from .outputs import OutFile, json_option, out_option
from .plans import (
    BATCH,
    CLUSTERS,
    HIDDEN,
    LANES,
    measured,
    planned,
    simulated_rows,
    simulated_tokens,
    study,
    timed,
)
from .study.plan import read
from .study.plan.cost import Cost, Cutoffs
from .study.plan.cycles import Cycles
from .study.plan.packages import FOLDER, LISTS, unpacked
from .study.plan.times import DivValue, Quarter, Widths
from .study.plan.vocabulary import Vocabulary
from .terminal import console, print_table, working

if TYPE_CHECKING:  # these take a second to import
    from .study.plan.findings import Findings
    from .study.plan.fit import Fit
    from .study.plan.rows import Row
    from .study.plan.through_unit import Through

DOCUMENT = Path("docs/plan.md")
COSTS = ("cycles", "cpu", "cuda")
OF_CYCLES = ("lanes", "buffer_length", "max_length", "simulate")
OF_TIMES = ("batch", "hidden", "div_value", "threads")
SOURCES = ("text", "tokens", "counts")

_source_options = options(
    click.option(
        "--text", type=click.Path(path_type=Path), metavar="FILE",
        help="Count the words of a text: lower-cased; letters, digits and _, with dots, hyphens "
        "and apostrophes inside; any other character alone.",
    ),
    click.option(
        "--tokens", type=click.Path(path_type=Path), metavar="FILE",
        help="Count tokens: a .npy array of word numbers from 0, or a text of such numbers.",
    ),
    click.option(
        "--counts", type=click.Path(path_type=Path), metavar="FILE",
        help="Counts: one a line, or a word and its count.",
    ),
    click.option(
        "--vocabulary", type=click.IntRange(2, read.LARGEST_ID), metavar="V",
        help="With --tokens: words in all; those that do not occur are the rarest.",
    ),
)  # fmt: skip
_cost_options = options(
    click.option(
        "--cost", "name", type=click.Choice(COSTS), default="cycles", show_default=True,
        help="Cycles of our unit, or the time of the matrix products before it, which is measured "
        "in torch on this CPU or GPU.",
    ),
    click.option(
        "--clusters", type=click.IntRange(2, 1000), default=CLUSTERS, show_default=True,
        metavar="N", help="At most, the head counted.",
    ),
    click.option(
        "--lanes", type=click.IntRange(1, 1024), default=LANES, show_default=True, metavar="L",
        help="Of cycles: elements of a beat.",
    ),
    click.option(
        "--buffer-length", type=click.IntRange(min=1), default=1024, show_default=True,
        metavar="N", help="Of cycles: longest row that is sent once; longer ones are sent twice.",
    ),
    click.option(
        "--max-length", type=click.IntRange(min=1), metavar="N",
        help="Of cycles: longest row at all.",
    ),
    click.option(
        "--measure", is_flag=True,
        help="Check the cost: rows through the simulated unit (a first run builds it, minutes), or "
        "the products of each split.",
    ),
    click.option(
        "--simulate", type=click.IntRange(min=1), metavar="N",
        help="Of cycles: send the first N tokens through the simulated unit, with the plan's "
        "cutoffs and those it is held against (each builds a unit, minutes).",
    ),
    click.option(
        "--batch", type=click.IntRange(1, 2**24), default=BATCH, show_default=True, metavar="B",
        help="Of times: tokens of a batch.",
    ),
    click.option(
        "--hidden", type=click.IntRange(1, 2**20), default=HIDDEN, show_default=True, metavar="D",
        help="Of times: units before the logits.",
    ),
    click.option(
        "--div-value", type=float, metavar="X",
        help="Of times: tail i is projected to D // X**i, as torch does it.  [default: every "
        "tail to D / 4, and at least 16]",
    ),
    click.option(
        "--threads", type=click.IntRange(min=1), metavar="N",
        help="Of times on a CPU: torch's threads; its own choice unless given.",
    ),
)  # fmt: skip


@click.command("plan", cls=OneSentence)
@_source_options
@_cost_options
@json_option
@click.option(
    "--html", type=OutFile(), metavar="FILE.html", help="Write a page there, which opens offline."
)
@click.option("--write", is_flag=True, help=f"Write {DOCUMENT}; it measures all that is in it.")
@out_option("build/plan", "Directory of the simulated unit.")
@click.pass_context
def plan(
    context: click.Context, name: str, clusters: int, json_file: Path | None, html: Path | None,
    write: bool, out: Path, **chosen: Any,
) -> int:  # fmt: skip
    """Plan the clusters of an adaptive softmax: the cutoffs that cost least.

    From the counts of a text's words, the shipped corpus unless another is given, and a cost:
    cycles of our unit, or the time of the products that make the logits. No other split of the
    sorted words into as many clusters costs less.

    Exit status 0; 2: the call could not be carried out.
    """
    require(
        html is None or html.suffix == ".html", f"--html must be a .html file, not {html}"
    )  # fmt: skip
    if write:
        return _write(context, chosen, out)
    _require_own_options(context, name)
    words = _words(chosen)
    require(
        clusters <= len(words),
        f"--clusters must be at most the number of words, {len(words)}, not {clusters}",
    )
    cost, fit = _cost(words, name, chosen)
    found = planned(cost, clusters)
    rows = simulated_rows(chosen["lanes"], out) if chosen["measure"] and fit is None else []
    took = measured(found, name) if chosen["measure"] and fit is not None else {}
    through = _simulated(found, chosen, out)
    _tell(found, fit, rows, took, through)
    if json_file is not None:
        from .study.plan import tables

        told = tables.fields(found, fit, rows, took, through)
        write_whole(json_file, json_text(told))
    if html is not None:
        from .study.plan.page import page

        write_whole(html, page(found, fit, rows, took, command=_command()))
        console.print(f"page: {html}")
    return 0


def _require_own_options(context: click.Context, name: str) -> None:
    """Refuse options that have no effect."""
    given = [source for source in SOURCES if is_given(context, source)]
    require(
        len(given) < 2,
        f"--{' and --'.join(given)} must not be given together: a plan is of one text",
    )
    require(
        not is_given(context, "vocabulary") or given == ["tokens"],
        "--vocabulary must be given together with --tokens",
    )
    others = OF_TIMES if name == "cycles" else OF_CYCLES
    wanted = "cpu or cuda" if name == "cycles" else "cycles"
    for option in (*others, *(("threads",) if name == "cuda" else ())):
        of = "cpu" if option == "threads" else wanted
        require(
            not is_given(context, option),
            f"--{option.replace('_', '-')} must be given together with --cost {of}",
        )


def _words(chosen: dict[str, Any]) -> Vocabulary:
    """What the options name, or the shipped corpus."""
    with working("counting words") as progress:
        if chosen["text"] is not None:
            words = read.of_text(chosen["text"], progress)
        elif chosen["tokens"] is not None:
            words = read.of_tokens(chosen["tokens"], chosen["vocabulary"])
        elif chosen["counts"] is not None:
            words = read.of_counts(chosen["counts"])
        else:
            words = read.shipped()
    if not words.is_sorted and chosen["text"] is None:
        console.print(
            "note: the counts were not sorted, and were sorted here: word 0 of the plan is the "
            "most frequent one; order in --json has the number that each had"
        )
    return words


def _cost(words: Vocabulary, name: str, chosen: dict[str, Any]) -> "tuple[Cost, Fit | None]":
    if name == "cycles":
        lengths = chosen["buffer_length"], chosen["max_length"]
        return Cycles(words, chosen["lanes"], *lengths), None
    projection = _projection(chosen["div_value"])
    return timed(words, name, chosen["batch"], chosen["hidden"], projection, chosen["threads"])


def _projection(value: float | None) -> Widths:
    if value is None:
        return Quarter()
    require(1 <= value < 2**20, f"--div-value must be at least 1 and finite, not {value:g}")
    return DivValue(value)


def _simulated(found: "Findings", chosen: dict[str, Any], out: Path) -> "list[Through]":
    """Tokens through the unit, where that is wanted."""
    if chosen["simulate"] is None:
        return []
    require(
        chosen["text"] is None and chosen["counts"] is None,
        "--simulate must be given for the shipped corpus or with --tokens: it needs the words in "
        "their order",
    )
    tokens = read.in_order(found.vocabulary, chosen["tokens"])[: chosen["simulate"]]
    through = simulated_tokens(found, tokens, out)
    require(
        bool(through),
        "--simulate must be given with a --buffer-length that holds a row of every cluster, for a "
        f"unit takes no row of them twice, not {chosen['buffer_length']}",
    )
    return through


def _tell(
    found: "Findings",
    fit: "Fit | None",
    rows: "Sequence[Row]",
    took: dict[Cutoffs, float],
    through: "Sequence[Through]",
) -> None:
    """Tables, sentences, and at last what is to be copied."""
    from .study.plan import tables

    said = [tables.covered(found.vocabulary), *tables.two_sentences(found)]
    if fit is not None:
        said = [*tables.law_sentences(fit, found), *said]
    if rows:
        said = [tables.row_sentence(rows), *said]
    title = f"{found.vocabulary.source}: {found.cost.words}"
    _print(title, tables.rivals(found, took), left=2)
    _print("the plan", tables.clusters(found), left=1)
    _print("cheapest split of each number of clusters", tables.curve(found, took), left=2)
    if through:
        title = f"{through[0].tokens:,} tokens through the simulated unit, all bits golden"
        _print(title, tables.through(through), left=2)
    for sentence in said:
        console.print(sentence)
    if found.clusters.tails >= MAX_CLUSTERS and fit is None:
        console.print(f"note: our unit has up to {MAX_CLUSTERS} clusters")
    for line in tables.copied_lines(found):
        console.print(line)


def _print(title: str, shown: "tuple[list[str], list[list[str]]]", left: int) -> None:
    heading, rows = shown
    table = Table(title=title)
    for place, name in enumerate(heading):
        table.add_column(name, justify="left" if place < left else "right")
    for row in rows:
        table.add_row(*row)
    print_table(table)


def _write(context: click.Context, chosen: dict[str, Any], out: Path) -> int:
    """Write the document and its pictures, from all vocabularies that are here."""
    for option in context.params:
        require(
            option in ("write", "threads", "out") or not is_given(context, option),
            "--write must be given alone, or with --threads and --out",
        )
    lists = unpacked(FOLDER)
    require(
        len(lists) == len(LISTS),
        f"--write must find the lists of {' and '.join(LISTS)} in {FOLDER}: make counts fetches "
        "them",
    )
    from .study.plan.document import PICTURES, document, pictures

    names = {name: f"{DOCUMENT.stem}-{name}.svg" for name in PICTURES}
    require_file("the document", DOCUMENT)
    found = study(lists, chosen["threads"], out)
    for name, drawn in pictures(found).items():
        write_whole(DOCUMENT.with_name(names[name]), drawn)
    write_whole(DOCUMENT, document(found, "softmaxfx plan --write", names))
    console.print(f"document: {DOCUMENT}")
    return 0


def _command() -> str:
    """The command line as it can be typed again."""
    return shlex.join(["softmaxfx", *sys.argv[1:]])
