"""``softmaxfx coverage``: lines run and bits toggled in the Verilog."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from .cache import Cache, completed
from .endings import OneSentence
from .fpga.exports import exported as exported_unit
from .golden import SoftmaxConfig
from .golden.errors import require
from .golden.units.registry import unit_sha256
from .jobs import distinct, exported
from .options import config_options, configs_of, unit_argument, worker_options
from .outcomes import Outcome
from .outputs import out_option, report_files
from .sim.coverage import Coverage, measure, write_report
from .sim.simulator import check_tools
from .sim.store import claimed
from .study.tasks import MadeBy, Maker
from .terminal import console, working

MADE_BY = MadeBy(
    "simulation",
    ("golden", "hdl", "sim", "fpga", "files", "code", "outcomes", "study.tasks", "coverage"),
)
"""Figures of coverage."""


@dataclass(frozen=True)
class Task:
    """A unit that is to be run with coverage counters."""

    unit: str
    preset: str | None
    config: SoftmaxConfig

    @property
    def long(self) -> bool:
        """It builds a model."""
        return True

    @property
    def key(self) -> str:
        """SHA-256 of all that its figures depend on; the preset is in the file's name."""
        sha256 = unit_sha256(self.unit, self.config)
        return MADE_BY.key("coverage", self.unit, self.preset, sha256)

    def run(self, folder: Path, given: None = None) -> dict[str, Any]:
        """The fields of a :class:`Coverage`."""
        unit = exported_unit(self.config, folder, unit=self.unit, preset=self.preset)
        with claimed(folder / "runs" / unit.top) as run:
            return asdict(measure(unit, folder / "models", run))


@click.command("coverage", cls=OneSentence)
@unit_argument
@config_options
@worker_options
@out_option("build/coverage", "Directory of everything generated.")
def coverage(unit: str, workers: int | None, cluster: str | None, out: Path, **chosen: Any) -> int:
    """Lines run and bits toggled in the Verilog, and why the rest is not; one report a unit.

    Exit status 0; 1: a mismatch, or a signal that nothing explains; 2: the call could not be
    carried out.
    """
    from .clusters import cluster_of  # Dask takes a second to import
    from .engine import Engine

    jobs = distinct((unit,), configs_of((unit,), **chosen, default=("tiny",)))
    maker = Maker(out if cluster is None else None, MADE_BY)  # others have other disks
    with Engine(maker, cluster_of(cluster, workers), tell=console.print) as engine:
        if cluster is None:
            check_tools(out / "models")
        names = [tested.top for tested in exported(jobs, out)]
        reports = report_files(out, *(f"{name}.md" for name in names))
        (results,) = report_files(out, "cache.sqlite")
        with Cache(results) as cache:
            found = _all(cache, engine, [Task(*job) for job in jobs])
    return max(_tell(one, report) for one, report in zip(found, reports, strict=True))


def _all(cache: Cache, engine: Any, tasks: list[Task]) -> list[Coverage]:
    """The coverage of all units, once what is not known has been measured."""
    left = len(tasks) - len(cache.of(task.key for task in tasks))
    with working(f"{left} units: building and running with coverage counters") as progress:
        found = completed(cache, tasks, engine.run, progress, is_kept=_is_done)
    return [Coverage.of(found[task.key].value) for task in tasks]


def _is_done(task: Task, outcome: Outcome) -> bool:
    require(outcome.status == "done", f"{task.unit}: {outcome.reason}")
    return True


def _tell(covered: Coverage, report_file: Path) -> int:
    """Write a report; 1 where something is wrong."""
    write_report(covered, report_file)
    console.print(
        f"lines {covered.percent('line'):.2f} %, bits toggled "
        f"{covered.percent('toggle'):.2f} %, {len(covered.unexplained)} signals not explained, "
        f"{covered.mismatches} mismatches; report: {report_file}"
    )
    return int(bool(covered.mismatches or covered.unexplained))
