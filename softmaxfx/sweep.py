"""``softmaxfx sweep``: what each bit buys and what it costs."""

import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .decorators import options
from .endings import CommandGroup
from .files import write_whole
from .golden.errors import require
from .options import require_packages, worker_options
from .outputs import OutFile, out_option, report_files
from .terminal import console, working

if TYPE_CHECKING:  # the extra `sweep` is imported where it is used
    from .cache import Cache
    from .engine import Engine
    from .study.sweep.measure.sources import Source
    from .study.sweep.space.entries import Entry

NEEDED = ("optuna",)

REPORT = ("report.html", "report.md", "results.csv", "versions.json", "precision.md")

TRIALS = 60
"""Configurations that a search evaluates by default."""


_space_options = options(
    click.option(
        "--space", default="default", show_default=True, metavar="NAME|FILE.toml",
        help="What is swept: default, full, or a file of your own.",
    ),
    click.option(
        "--cache", type=OutFile(), metavar="FILE",
        help="Where results are kept.  [default: OUT/cache.sqlite]",
    ),
    click.option(
        "--logits", type=click.Path(path_type=Path), metavar="FILE.npy",
        help="Your own rows instead of the recorded ones.",
    ),
    click.option(
        "--targets", type=click.Path(path_type=Path), metavar="FILE.npy",
        help="With --logits: the class index of every row, below 0 for none.",
    ),
    click.option(
        "--gradients", type=click.Path(path_type=Path), metavar="FILE.npy",
        help="With --logits: dP of every element.",
    ),
    click.option(
        "--no-bound", is_flag=True, help="Leave the proven bounds out: several times faster."
    ),
    click.option("--no-designs", is_flag=True, help="Synthesise nothing."),
    out_option("build/sweep", "Directory of results and report."),
)  # fmt: skip


@click.group("sweep", cls=CommandGroup, invoke_without_command=True)
@_space_options
@worker_options
@click.option(
    "--goal", metavar="TEXT",
    help="Search instead: comparisons of metrics, as in 'bound_ulp <= 1 and kl <= 1e-4'.",
)  # fmt: skip
@click.option("--minimize", metavar="METRIC", help="With --goal: what is to be cheap, as lut.")
@click.option(
    "--trials", type=click.IntRange(min=1), metavar="N",
    help=f"With --goal: configurations to evaluate.  [default: {TRIALS}]",
)  # fmt: skip
@click.pass_context
def sweep(
    context: click.Context, workers: int | None, cluster: str | None, goal: str | None,
    minimize: str | None, trials: int | None, **chosen: Any,
) -> int | None:  # fmt: skip
    """Measure and synthesise a space of configurations; write a report.

    Results are kept: a sweep that is interrupted goes on where it ended, and one that is repeated
    evaluates what is new. Exit status 0; 1: something failed, or no configuration meets the goal;
    2: the call could not be carried out.
    """
    searches = {"--goal": goal, "--minimize": minimize, "--trials": trials}
    if context.invoked_subcommand is not None:
        for option, value in {"--workers": workers, "--cluster": cluster, **searches}.items():
            require(value is None, f"{option} must not be given for a report: it measures nothing")
        context.obj = chosen
        return None
    require((goal is None) == (minimize is None), "--goal and --minimize must be given together")
    require(goal is not None or trials is None, "--trials must be given together with --goal")
    if goal is None or minimize is None:
        return _Job(**chosen).drain(workers, cluster)
    for option in ("no_bound", "no_designs"):
        require(
            not chosen[option],
            f"--{option.replace('_', '-')} must not be given together with --goal: a search "
            "measures what its goal names",
        )
    return _Job(**chosen).search(goal, minimize, trials or TRIALS, workers, cluster)


@sweep.command("report")
@click.option(
    "--precision", type=OutFile(), metavar="FILE.md",
    help="Write what the figures say in words there as well.",
)  # fmt: skip
@click.pass_context
def report_command(context: click.Context, precision: Path | None) -> None:
    """Write the report of what a sweep has found so far; options of the sweep stand before it."""
    from .study.sweep.known import known

    job = _Job(**context.obj)
    with job.opened(create=False) as cache:
        written = job.report(known(cache, job.entries()))
    if precision is not None:
        write_whole(precision, written.read_text())
        console.print(f"precision: {precision}")


class _Job:
    """What the options choose: a space, the rows it is measured on, and where results are."""

    def __init__(
        self, space: str, cache: Path | None, logits: Path | None, targets: Path | None,
        gradients: Path | None, no_bound: bool, no_designs: bool, out: Path,
    ):  # fmt: skip
        require_packages("sweep", *NEEDED, extra="sweep,synth")
        from .study.sweep.space.space import SHIPPED, Space

        require(
            logits is not None or (targets is None and gradients is None),
            "--targets and --gradients must be given together with --logits",
        )
        report_files(out, *REPORT, "best.toml")
        self.space = Space.load(SHIPPED.get(space, Path(space)))
        self.out, self.bound, self.designs = out, not no_bound, not no_designs
        self.cache = cache or out / "cache.sqlite"
        self.sources = self._sources(logits, targets, gradients)

    def _sources(
        self, logits: Path | None, targets: Path | None, gradients: Path | None
    ) -> "tuple[Source, ...]":
        from .study.sweep.measure.sources import own_source, recorded_sources

        space = self.space
        if logits is not None:
            return (
                own_source(
                    logits, targets=targets, gradients=gradients, elements=space.elements,
                    seed=space.seed,
                ),
            )  # fmt: skip
        with working("reading the recordings"):
            recorded = {
                source.name: source for source in recorded_sources(space.elements, space.seed)
            }
        for name in space.sources:
            require(
                name in recorded,
                f"sources must be of {', '.join(recorded)} where no --logits are given, not {name}",
            )
        return tuple(recorded[name] for name in space.sources)

    @property
    def data(self) -> dict[str, str]:
        """The data hash of every source, by name."""
        return {source.name: source.data_sha256 for source in self.sources}

    def opened(self, *, create: bool = True) -> "Cache":
        """The results cache, closed at the end of a ``with``."""
        from .cache import Cache

        return Cache(self.cache, create=create)

    def engine(self, workers: int | None, cluster: str | None) -> "Engine":
        """Workers that evaluate entries, let go at the end of a ``with``."""
        from .clusters import cluster_of
        from .engine import Engine
        from .study.sweep.evaluate import Maker

        folder = self.out / "synth" if cluster is None else None  # others have other disks
        return Engine(Maker(self.sources, folder), cluster_of(cluster, workers), tell=console.print)

    def entries(self) -> "list[Entry]":
        """All that the sweep covers; what takes longest first."""
        from .study.sweep.measure.float_formats import BASELINES
        from .study.sweep.space.entries import baseline

        return [
            *(self.space.syntheses() if self.designs else []),
            *(baseline(name, *source) for name in BASELINES for source in self.data.items()),
            *self.space.points(self.data, bound=self.bound),
        ]

    def drain(self, workers: int | None, cluster: str | None) -> int:
        """Evaluate what is not known, then write the report."""
        from .study.sweep.known import evaluate, known
        from .study.sweep.space.rules import require_rows

        require_rows(self.space, self.sources)
        with self.engine(workers, cluster) as engine, self.opened() as cache:
            entries = known(cache, self.entries())
            new = sum(entry.status == "open" for entry in entries)
            console.print(
                f"{len(entries):,} results wanted, {len(entries) - new:,} of them known to "
                f"{self.cache}"
            )
            with working("sweeping", time_left=True) as progress:
                entries = evaluate(cache, entries, engine.run, progress)
        self.report(entries)
        counts = Counter(entry.status for entry in entries)
        console.print(", ".join(f"{count:,} {status}" for status, count in sorted(counts.items())))
        return 1 if counts["failed"] else 0

    def report(self, entries: "list[Entry]") -> Path:
        """Write the report; the file that says it in words."""
        from .study.sweep.report.report import report

        with working("writing the report"):
            seconds = {entry.key: entry.seconds for entry in entries if entry.seconds}
            tools = {
                f"{entry.source} {name}": tool
                for entry in entries
                for name, tool in entry.versions.items()
            }
            written = report(
                entries, self.sources, self.out, command=_command(), seed=self.space.seed,
                versions={"tools": tools, "seconds": seconds},
            )  # fmt: skip
        console.print(
            f"report: {written.html}   {written.markdown}   {written.csv}   {written.precision}"
        )
        return written.precision

    def search(
        self, goal: str, minimize: str, trials: int, workers: int | None, cluster: str | None
    ) -> int:
        """Find the cheapest configuration that meets a goal."""
        from .study.sweep.search import search
        from .study.sweep.space.goal import Goal
        from .study.sweep.space.rules import require_rows
        from .study.sweep.space.task import Task

        task = Task(self.space, Goal.parse(goal), minimize, self.data, trials=trials)
        require_rows(self.space, self.sources, sorted(task.named))
        with (
            self.engine(workers, cluster) as engine,
            self.opened() as cache,
            working("searching", time_left=True) as progress,
        ):
            found = search(cache, task, engine.run, progress)
        if found.best is None:
            nearest = f"; nearest to it:\n{found.closest.toml}" if found.closest else ""
            console.print(f"none of {found.tried} configurations meets {goal}{nearest}")
            return 1
        file = self.out / "best.toml"
        write_whole(file, found.best.toml)
        console.print(
            f"{minimize} = {found.best.cost:g}, the least of {found.tried} configurations\n"
            f"{found.best.toml}{file}\n{found.best.command}"
        )
        return 0


def _command() -> str:
    """The sweep's command line as it can be typed again."""
    words = sys.argv[1:]
    words = words[: words.index("report")] if "report" in words else words
    return shlex.join(["softmaxfx", *words]) if words[:1] == ["sweep"] else "softmaxfx sweep"
