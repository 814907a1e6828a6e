"""``softmaxfx sweep``: what each bit buys and what it costs."""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .decorators import options
from .endings import CommandGroup
from .files import write_whole
from .golden.errors import require
from .outputs import OutFile, out_option, report_files
from .terminal import console, working

if TYPE_CHECKING:  # the extra `sweep` is imported where it is used
    from .study.sweep.measure.sources import Source
    from .study.sweep.results import Results
    from .study.sweep.space.entries import Entry

NEEDED = ("sqlalchemy", "optuna")

REPORT = ("report.html", "report.md", "results.csv", "versions.json", "precision.md")

TRIALS = 60
"""Configurations that a search evaluates by default."""


_space_options = options(
    click.option(
        "--space", default="default", show_default=True, metavar="NAME|FILE.toml",
        help="What is swept: default, full, or a file of your own.",
    ),
    click.option(
        "--storage", default=None, metavar="URL",
        help="Results table: sqlite:///FILE or postgresql://USER@HOST/DATABASE; any number of "
        "commands on any number of machines can share one.  [default: OUT/results.sqlite]",
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
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N",
    help="Processes; one a processor unless given.",
)  # fmt: skip
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
    context: click.Context, workers: int | None, goal: str | None, minimize: str | None,
    trials: int | None, **chosen: Any,
) -> int | None:  # fmt: skip
    """Measure and synthesise a space of configurations; write a report.

    Results are kept: a sweep that is interrupted goes on where it ended, and one that is repeated
    evaluates what is new. Exit status 0; 1: something failed, or no configuration meets the goal;
    2: the call could not be carried out.
    """
    searches = {"--goal": goal, "--minimize": minimize, "--trials": trials}
    if context.invoked_subcommand is not None:
        for option, value in {"--workers": workers, **searches}.items():
            require(value is None, f"{option} must not be given for a report: it measures nothing")
        context.obj = chosen
        return None
    require((goal is None) == (minimize is None), "--goal and --minimize must be given together")
    require(goal is not None or trials is None, "--trials must be given together with --goal")
    if goal is None or minimize is None:
        return _Job(**chosen).drain(workers)
    for option in ("no_bound", "no_designs"):
        require(
            not chosen[option],
            f"--{option.replace('_', '-')} must not be given together with --goal: a search "
            "measures what its goal names",
        )
    return _Job(**chosen).search(goal, minimize, trials or TRIALS, workers)


@sweep.command("report")
@click.option(
    "--precision", type=OutFile(), metavar="FILE.md",
    help="Write what the figures say in words there as well.",
)  # fmt: skip
@click.pass_context
def report_command(context: click.Context, precision: Path | None) -> None:
    """Write the report of what a sweep has found so far; options of the sweep stand before it."""
    job = _Job(**context.obj)
    with job.opened(create=False) as results:
        written = job.report(results)
    if precision is not None:
        write_whole(precision, written.read_text())
        console.print(f"precision: {precision}")


class _Job:
    """What the options choose: a space, the rows it is measured on, and where results are."""

    def __init__(
        self, space: str, storage: str | None, logits: Path | None, targets: Path | None,
        gradients: Path | None, no_bound: bool, no_designs: bool, out: Path,
    ):  # fmt: skip
        missing = [name for name in NEEDED if find_spec(name) is None]
        require(
            not missing, f"sweep needs {', '.join(missing)}: pip install 'softmaxfx[sweep,synth]'"
        )
        from .study.sweep.space.space import SHIPPED, Space

        require(
            logits is not None or (targets is None and gradients is None),
            "--targets and --gradients must be given together with --logits",
        )
        report_files(out, *REPORT, "best.toml")
        self.space = Space.load(SHIPPED.get(space, Path(space)))
        self.out, self.bound, self.designs = out, not no_bound, not no_designs
        self.storage = storage or f"sqlite:///{out / 'results.sqlite'}"
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

    def opened(self, *, create: bool = True) -> Any:
        """The results table, closed at the end of a ``with``."""
        from contextlib import closing

        from .study.sweep.results import Results

        self.out.mkdir(parents=True, exist_ok=True)
        return closing(Results.open(self.storage, create=create))

    def entries(self) -> "list[Entry]":
        """All that the sweep covers; what takes longest first."""
        from .study.sweep.measure.float_formats import BASELINES
        from .study.sweep.space.entries import baseline

        return [
            *(self.space.syntheses() if self.designs else []),
            *(baseline(name, *source) for name in BASELINES for source in self.data.items()),
            *self.space.points(self.data, bound=self.bound),
        ]

    def drain(self, workers: int | None) -> int:
        """Evaluate what is open, then write the report."""
        from .study.sweep.drain import Progress, drain
        from .study.sweep.evaluate import Maker
        from .study.sweep.results import scope_of
        from .study.sweep.space.rules import require_rows

        require_rows(self.space, self.sources)
        entries = self.entries()
        scope = scope_of(entries)
        maker = Maker(self.sources, self.out / "synth")
        with self.opened() as results:
            new = results.add(entries)
            console.print(
                f"{len(entries):,} results wanted, {len(entries) - new:,} of them known to "
                f"{self.storage}"
            )
            results.retry(scope)
            with working("sweeping", time_left=True) as progress:

                def tell(far: Progress) -> None:
                    progress(far.done / max(far.total, 1))

                counts = drain(results, maker, scope=scope, workers=workers, progress=tell)
            self.report(results)
        outcome = ", ".join(
            f"{count:,} {status}" for status, count in sorted(counts.items()) if count
        )
        console.print(outcome)
        return 1 if counts["failed"] else 0

    def report(self, results: "Results") -> Path:
        """Write the report; the file that says it in words."""
        from .study.sweep.report.report import report

        with working("writing the report"):
            stored = list(results.stored(self.entries()).values())
            seconds = {entry.key: entry.seconds for entry in stored if entry.seconds}
            tools = {
                f"{entry.source} {name}": tool
                for entry in stored
                for name, tool in entry.versions.items()
            }
            written = report(
                stored, self.sources, self.out, command=_command(), seed=self.space.seed,
                versions={"tools": tools, "seconds": seconds},
            )  # fmt: skip
        console.print(
            f"report: {written.html}   {written.markdown}   {written.csv}   {written.precision}"
        )
        return written.precision

    def search(self, goal: str, minimize: str, trials: int, workers: int | None) -> int:
        """Find the cheapest configuration that meets a goal."""
        from .study.sweep.evaluate import Maker
        from .study.sweep.search import search
        from .study.sweep.space.goal import Goal
        from .study.sweep.space.rules import require_rows
        from .study.sweep.space.task import Task

        task = Task(self.space, Goal.parse(goal), minimize, self.data, trials=trials)
        require_rows(self.space, self.sources, sorted(task.named))
        maker = Maker(self.sources, self.out / "synth")
        with self.opened() as results, working("searching", time_left=True) as progress:
            found = search(
                results, task, maker, workers=workers,
                progress=lambda far: progress(far.done / max(far.total, 1)),
            )  # fmt: skip
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
