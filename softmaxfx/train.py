"""``softmaxfx train``: networks trained by fixed-point units, beside float32."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .cache import Cache
from .decorators import options
from .endings import OneSentence
from .files import json_text, write_whole
from .golden.errors import require
from .options import chosen_configs, config_options, require_packages, worker_options
from .outputs import OutFile, json_option, out_option, report_files
from .terminal import console, print_table, working

if TYPE_CHECKING:  # torch is imported where it is used
    from .study.paired_figures import Pairs
    from .study.paired_networks import Network
    from .study.paired_training import Plan

PRESETS = ("base", "int8", "int8_row")
"""What is trained by unless configurations are named, by ``exact_sum``."""

SEEDS = {"digits": 10, "language": 3}
LENGTHS = {"digits": 60, "language": 200}
"""Seeds and length of each network unless given: a language model takes minutes."""

_size_options = options(
    click.option(
        "--network", "networks", multiple=True, metavar="NAME", default=tuple(SEEDS),
        help=f"What is trained: {', '.join(SEEDS)}; both unless given. Can be given more than "
        "once.",
    ),
    click.option(
        "--seeds", type=click.IntRange(min=2), metavar="N",
        help=f"Train from seeds 1 to N.  [default: "
        f"{', '.join(f'{count} of {name}' for name, count in SEEDS.items())}]",
    ),
    click.option(
        "--epochs", type=click.IntRange(min=1), metavar="N",
        help=f"Of the digits: how often each image is seen.  [default: {LENGTHS['digits']}]",
    ),
    click.option(
        "--updates", type=click.IntRange(min=1), metavar="N",
        help=f"Of the language model: steps of a training.  [default: {LENGTHS['language']}]",
    ),
)  # fmt: skip


@click.command("train", cls=OneSentence)
@config_options
@_size_options
@worker_options
@json_option
@click.option(
    "--write", type=OutFile(), metavar="FILE.md",
    help="Write a document there; its picture lies beside it.",
)  # fmt: skip
@out_option("build/train", "Directory of the results that are kept.")
def train(
    networks: tuple[str, ...], seeds: int | None, epochs: int | None, updates: int | None,
    workers: int | None, cluster: str | None, json_file: Path | None, write: Path | None,
    out: Path, **chosen: Any,
) -> int:  # fmt: skip
    """Train networks by fixed-point units and by float32, in pairs, and compare what they learn.

    Both of a pair have the same split, weights and batches. Results are kept: what was interrupted
    goes on where it ended. Exit status 0; 1: base is worse than it may be; 2: the call could not be
    carried out.
    """
    require_packages("train", "torch", "sklearn", extra="study")
    (results,) = report_files(out, "cache.sqlite", beside=json_file)
    if write is not None:
        require(write.suffix == ".md", f"--write must be a .md file, not {write}")
        report_files(write.parent, write.with_suffix(".svg").name)
    plans = _plans(networks, seeds, {"digits": epochs, "language": updates}, chosen)
    from .clusters import cluster_of  # Dask takes a second to import
    from .engine import Engine
    from .study import paired_report
    from .study.paired_training import MADE_BY, paired
    from .study.tasks import Maker

    maker = Maker(out if cluster is None else None, MADE_BY)  # others have other disks
    with (
        Engine(maker, cluster_of(cluster, workers), tell=console.print) as engine,
        Cache(results) as cache,
        working("training", time_left=True) as progress,
    ):
        found = paired(plans, cache, engine.run, progress)
    print_table(paired_report.table(found))
    if json_file is not None:
        write_whole(json_file, json_text(paired_report.fields(found)))
    if write is not None:
        _write(write, plans, found)
    return 1 if any(pairs.promised and not pairs.kept for pairs in found) else 0


def _write(file: Path, plans: "list[Plan]", found: "list[Pairs]") -> None:
    """The document, and its picture."""
    from .study.paired_document import document
    from .study.paired_picture import picture

    drawn = file.with_suffix(".svg")
    write_whole(drawn, picture(found))
    write_whole(file, document(plans, found, _command(), drawn.name))
    console.print(f"document: {file}   picture: {drawn}")


def _command() -> str:
    """The command line as it can be typed again."""
    return shlex.join(["softmaxfx", *sys.argv[1:]])


def _plans(
    networks: tuple[str, ...], seeds: int | None, lengths: dict[str, int | None],
    chosen: dict[str, Any],
) -> "list[Plan]":  # fmt: skip
    """What is to be trained.

    Raises:
        ConfigError: an option that has no effect, or is not understood.
    """
    for name in networks:
        require(name in SEEDS, f"--network must be one of {', '.join(SEEDS)}, not {name!r}")
    for name, option in (("digits", "--epochs"), ("language", "--updates")):
        require(
            lengths[name] is None or name in networks,
            f"{option} must be given together with --network {name}",
        )
    configs = chosen_configs(**chosen, default=PRESETS, default_datapaths=("exact_sum",))
    for _, config in configs:
        require(
            config.function == "softmax",
            f"config must be one of softmax, not of {config.function}: the units of attention and "
            "loss are made of it",
        )
    from .study.paired_training import Plan
    from .study.paired_units import Fixed, Float64Loss

    softmaxes = (
        Float64Loss(),
        *(Fixed(f"{name or 'custom'} {config.datapath}", config) for name, config in configs),
    )
    return [
        Plan(
            _network(name, lengths[name] or LENGTHS[name]),
            softmaxes,
            tuple(range(1, (seeds or SEEDS[name]) + 1)),
        )
        for name in dict.fromkeys(networks)
    ]


def _network(name: str, length: int) -> "Network":
    from .study.paired_networks import Digits, Language

    return {"digits": Digits, "language": Language}[name](length)
