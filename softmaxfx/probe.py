"""``softmaxfx probe``: what enters every softmax of a model, and which unit it needs."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .decorators import options
from .endings import OneSentence
from .files import json_text, write_whole
from .golden import PRESETS
from .golden.errors import require
from .golden.measures.row_record import RANGES
from .options import require_packages
from .outputs import OutFile, json_option
from .study.probe.area import areas
from .study.probe.own_rows import of_files
from .study.probe.recommend import PRESETS as COMPARED
from .study.probe.recommend import recommend
from .study.probe.recorded import RECORDED
from .study.probe.seen import Seen
from .study.probe.subject import NAMES, PRETRAINED, Subject, own, pretrained
from .terminal import console, print_table, working

if TYPE_CHECKING:  # rich tables and pictures are made where they are asked for
    from .study.probe.outcome import Outcome
    from .study.probe.report import Report

_what = options(
    click.option(
        "--model", metavar="NAME|MODULE:FACTORY",
        help=f"What is probed: {', '.join(NAMES)}; or a function of yours that returns a "
        "torch.nn.Module.",
    ),
    click.option(
        "--data", metavar="MODULE:FACTORY",
        help="With a model of yours: a function that returns its inputs, an iterable of tensors, "
        "tuples of arguments or dicts of named ones.",
    ),
    click.option(
        "--npy", "files", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
        help="Recorded logits instead, a row a softmax row; -inf is masked, trailing NaN a shorter "
        "row. Can be given more than once.",
    ),
    click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", help="At most N inputs of the model."
    ),
    click.option(
        "--range", "given", type=click.FloatRange(min=0, min_open=True), multiple=True, metavar="R",
        help="Count the rows whose winner lies beyond ±R, too. Can be given more than once.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, metavar="S",
        help="Seed of the rows that are looked at closely.",
    ),
)  # fmt: skip
_told = options(
    click.option(
        "--preset", "presets", multiple=True, metavar="P", default=COMPARED,
        help=f"A unit to hold the rows against, the smallest first; {', '.join(COMPARED)} unless "
        "given. Can be given more than once.",
    ),
    click.option(
        "--evaluate", is_flag=True,
        help="Run the model with each of these units in every softmax, too, and count the outputs "
        "whose winner stays.",
    ),
    click.option(
        "--synth", type=click.Path(path_type=Path), metavar="FILE",
        help="What softmaxfx synth --json wrote: LUT and Fmax are told beside.",
    ),
    click.option("--heads", is_flag=True, help="Print a line each head, too."),
    json_option,
    click.option(
        "--html", type=OutFile(), metavar="FILE.html", help="Write a page that opens offline."
    ),
    click.option(
        "--picture", type=OutFile(), metavar="FILE.svg", help="Draw the row maxima there."
    ),
)  # fmt: skip


@dataclass(frozen=True)
class _Asked:
    """What is to be probed."""

    model: str | None
    data: str | None
    files: tuple[Path, ...]
    limit: int | None
    seed: int
    evaluate: bool
    ranges: tuple[float, ...]

    @property
    def recorded(self) -> bool:
        return self.model in RECORDED

    def check(self) -> None:
        """Raise ConfigError where options do not go together."""
        require(
            (self.model is None) == bool(self.files),
            "--model or --npy must be given, and not both of them",
        )
        factory = self.model is not None and self.model not in NAMES
        require(
            not factory or ":" in str(self.model),
            f"--model must be one of {', '.join(NAMES)} or MODULE:FACTORY, not {self.model!r}",
        )
        require(
            factory == (self.data is not None),
            "--data must be given together with a --model of your own, and with no other",
        )
        for name, given in (("--limit", self.limit is not None), ("--evaluate", self.evaluate)):
            require(
                not given or not (self.files or self.recorded),
                f"{name} must be given with a model that runs, not with recorded rows",
            )


@click.command("probe", cls=OneSentence)
@_what
@_told
def probe(
    model: str | None, data: str | None, files: tuple[Path, ...], limit: int | None,
    given: tuple[float, ...], seed: int, presets: tuple[str, ...], evaluate: bool,
    synth: Path | None, heads: bool, json_file: Path | None, html: Path | None,
    picture: Path | None,
) -> None:  # fmt: skip
    """Record what enters every softmax of a torch model, and recommend a unit for it.

    Of each softmax (layer, head) are told how large the logits are, how many rows have a winner
    that would saturate, what lies between first and second, and how many probabilities are below
    one LSB; then what the presets and other formats would do to these rows.

    Exit status 0; 2: the call could not be carried out.
    """
    asked = _Asked(model, data, files, limit, seed, evaluate, tuple(sorted({*RANGES, *given})))
    asked.check()
    for name in presets:
        require(name in PRESETS, f"--preset must be one of {', '.join(PRESETS)}, not {name!r}")
    for option, file, suffix in (("--html", html, ".html"), ("--picture", picture, ".svg")):
        require(
            file is None or file.suffix == suffix, f"{option} must be a {suffix} file, not {file}"
        )
    known = areas(synth) if synth is not None else {}
    subject, sites = _probed(asked)
    with working("trying presets and formats", time_left=True) as progress:
        found = recommend(sites, presets, progress)
    outcomes = _evaluated(subject, sites, presets) if subject is not None and evaluate else {}
    from .study.probe.report import Report

    report = Report(_name(asked), _command(), seed, sites, found, known, outcomes)
    _tell(report, heads)
    _write(report, json_file, html, picture)


def _probed(asked: _Asked) -> tuple[Subject | None, list[Seen]]:
    """The model, where one runs, and what was seen."""
    if asked.files:
        return None, of_files(asked.files, asked.seed, asked.ranges)
    assert asked.model is not None, "it is checked"
    if asked.recorded:
        return None, RECORDED[asked.model](asked.seed, asked.ranges)
    require_packages("probe of a model", "torch", extra="torch")
    from .study.probe.run import probed

    with working(f"reading {asked.model}"):
        subject = _subject(asked)
    with working(f"running {asked.model}", time_left=True) as progress:
        return subject, probed(subject, asked.seed, progress, asked.ranges)


def _subject(asked: _Asked) -> Subject:
    assert asked.model is not None, "it is checked"
    if asked.model in PRETRAINED:
        return pretrained(asked.model, asked.limit)
    assert asked.data is not None, "it is checked"
    return own(asked.model, asked.data, asked.limit, again=asked.evaluate)


def _evaluated(
    subject: Subject, sites: list[Seen], presets: tuple[str, ...]
) -> "dict[str, Outcome]":
    from .study.probe.run import evaluated, raised

    longest = max(int(site.sample.lengths.max()) for site in sites if site.sample is not None)
    units = {name: raised(name, longest) for name in presets}
    with working("running the model with units", time_left=True) as progress:
        return {outcome.name: outcome for outcome in evaluated(subject, units, progress)}


def _name(asked: _Asked) -> str:
    """What was probed, in a title."""
    return asked.model or ", ".join(file.name for file in asked.files)


def _command() -> str:
    """The command line as it can be typed again."""
    return shlex.join(["softmaxfx", *sys.argv[1:]])


def _tell(report: "Report", heads: bool) -> None:
    from .study.probe.report import epoch_table, preset_table, site_table

    console.print(report.found.sentence, style="bold")
    print_table(site_table(report, heads=heads))
    epochs = epoch_table(report)
    if epochs is not None:
        print_table(epochs)
    print_table(preset_table(report))
    console.print(f"formats with the fewest bits: {report.found.formats}")


def _write(
    report: "Report", json_file: Path | None, html: Path | None, picture: Path | None
) -> None:
    """The files that were asked for, once all is known."""
    from .study.probe.page import page
    from .study.probe.picture import picture as drawn
    from .study.probe.report import fields

    made: tuple[tuple[Path | None, Callable[[Report], str]], ...] = (
        (json_file, lambda one: json_text(fields(one))), (html, page), (picture, drawn),
    )  # fmt: skip
    for file, write in made:
        if file is not None:
            write_whole(file, write(report))
    told = [f"{file}" for file, _ in made if file is not None]
    if told:
        console.print(f"written: {'   '.join(told)}")
