"""``softmaxfx train-words``: a word model by the full, two-level and adaptive softmax."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .cache import Cache
from .decorators import options
from .endings import OneSentence
from .files import json_text, write_whole
from .golden.errors import require
from .options import chosen_configs, config_options, require_packages
from .outputs import OutFile, json_option, out_option, report_files
from .terminal import console, print_table, working

if TYPE_CHECKING:  # torch is imported where it is used
    from .study.paired_units import Softmax
    from .study.words.course import Course
    from .study.words.report import Report
    from .study.words.training import Training


class Cutoffs(click.ParamType):
    """Whole numbers with commas between them."""

    name = "cutoffs"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(each) for each in value.split(","))
        except ValueError:
            self.fail(f"must be whole numbers with commas between them, not {value}", param, ctx)


_model_options = options(
    click.option(
        "--text", type=click.Path(path_type=Path), metavar="FILE",
        help="Train on a text of your own, in UTF-8; the shipped corpus unless given.",
    ),
    click.option(
        "--at-least", type=click.IntRange(min=1), default=5, show_default=True, metavar="N",
        help="Words that occur less often are one unknown word; 2 are all of the corpus.",
    ),
    click.option(
        "--cutoffs", type=Cutoffs(), metavar="K1,K2,...",
        help="The first word of each tail; an eighth and a half of the vocabulary unless given.",
    ),
    click.option(
        "--div-value", type=click.FloatRange(min=1), default=2.0, show_default=True, metavar="D",
        help="By how much the features of each tail are fewer.",
    ),
    click.option(
        "--width", type=click.IntRange(min=1), default=64, show_default=True, metavar="N",
        help="Of the embedding and the recurrent layer.",
    ),
    click.option(
        "--updates", type=click.IntRange(min=1), default=3000, show_default=True, metavar="N",
        help="Steps of a training at most; it ends where nothing gets better.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, metavar="N",
        help="Of the weights to begin with.",
    ),
    click.option(
        "--workers", type=click.IntRange(min=1), metavar="N",
        help="Processes, a training each; one a processor unless given.",
    ),
)  # fmt: skip


@click.command("train-words", cls=OneSentence)
@config_options
@_model_options
@json_option
@click.option(
    "--write", type=OutFile(), metavar="FILE.md",
    help="Write a document there; its picture lies beside it.",
)  # fmt: skip
@out_option("build/words", "Directory of the results that are kept, and of stream.npz.")
def train_words(
    text: Path | None, at_least: int, cutoffs: tuple[int, ...] | None, div_value: float,
    width: int, updates: int, seed: int, workers: int | None, json_file: Path | None,
    write: Path | None, out: Path, **chosen: Any,
) -> int:  # fmt: skip
    """Train a word model by the full, a two-level and the adaptive softmax, in floats and by
    fixed-point units, and compare what they learn in as many steps and in as much time.

    About ten minutes of one processor. Results are kept: what was interrupted goes on where it
    ended. stream.npz has tokens of the test and the logits that the adaptive softmax by the first
    unit has for them. Exit status 0; 2: the call could not be carried out.
    """
    require_packages("train-words", "torch", extra="torch")
    results, stream = report_files(out, "cache.sqlite", "stream.npz", beside=json_file)
    if write is not None:
        require(write.suffix == ".md", f"--write must be a .md file, not {write}")
        report_files(write.parent, write.with_suffix(".svg").name)
    from .golden.torch.adaptive_options import check_features
    from .study.words.compared import compared
    from .study.words.course import Stop
    from .study.words.model import Size
    from .study.words.outputs import Adaptive, Full, TwoLevel
    from .study.words.report import Report, fields, table
    from .study.words.text import read_text, shipped
    from .study.words.training import planned

    found = shipped(at_least) if text is None else read_text(text, at_least)
    adaptive, size, stop = Adaptive(cutoffs, div_value), Size(width), Stop(most=updates)
    clusters = adaptive.clusters(len(found.words))
    check_features(width, div_value, clusters.tails)
    methods = Full(), TwoLevel(), adaptive
    trainings = planned(methods, _softmaxes(chosen), found, seed, size, stop)
    courses = _courses(trainings, found, out, results, workers)
    report = Report(compared(courses), found, at_least, clusters, seed, size, stop, _command())
    print_table(table(report))
    _keep_stream(trainings, out, stream)
    if json_file is not None:
        write_whole(json_file, json_text(fields(report)))
    if write is not None:
        _write(write, report)
    return 0


def _courses(
    trainings: "list[Training]", text: Any, out: Path, results: Path, workers: int | None
) -> "list[Course]":
    from .clusters import cluster_of  # Dask takes a second to import
    from .engine import Engine
    from .study.tasks import Maker
    from .study.words.training import MADE_BY, courses

    with (
        Engine(Maker(out, MADE_BY, text), cluster_of(None, workers), tell=console.print) as engine,
        Cache(results) as cache,
        working("training", time_left=True) as progress,
    ):
        return courses(trainings, out, cache, engine.run, progress)


def _keep_stream(trainings: "list[Training]", out: Path, stream: Path) -> None:
    """The first of the recordings, by a name that others find."""
    files = [file for each in trainings if (file := each.stream(out)) is not None]
    shutil.copyfile(files[0], stream)
    console.print(f"tokens and logits: {stream}")


def _write(file: Path, report: "Report") -> None:
    """The document, and its picture."""
    from .study.words.picture import picture
    from .study.words.report import document

    drawn = file.with_suffix(".svg")
    write_whole(drawn, picture(report.found))
    write_whole(file, document(report, drawn.name))
    console.print(f"document: {file}   picture: {drawn}")


def _command() -> str:
    """The command line as it can be typed again."""
    return shlex.join(["softmaxfx", *sys.argv[1:]])


def _softmaxes(chosen: dict[str, Any]) -> "list[Softmax]":
    """Floats, and the units of the configurations.

    Raises:
        ConfigError: an option that is not understood, or no configuration of softmax.
    """
    from .study.paired_units import Fixed, Float32

    configs = chosen_configs(**chosen, default=("base",), default_datapaths=("exact_sum",))
    for _, config in configs:
        require(
            config.function == "softmax",
            f"config must be one of softmax, not of {config.function}: the units of losses are "
            "made of it",
        )
    named = [Fixed(f"{name or 'custom'} {config.datapath}", config) for name, config in configs]
    return [Float32(), *named]
