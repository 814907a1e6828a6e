"""``softmaxfx coverage``: lines run and bits toggled in the Verilog."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from .cache import Cache
from .code import code_sha256, require_code
from .endings import OneSentence
from .fpga.exports import exported as exported_unit
from .golden import SoftmaxConfig
from .golden.errors import require
from .golden.units.registry import unit_sha256
from .jobs import distinct, exported
from .options import config_options, configs_of, unit_argument, worker_options
from .outputs import out_option, report_files
from .sim.coverage import Coverage, measure, write_report
from .sim.simulator import check_tools
from .sim.store import claimed
from .study.tools import tools_of
from .terminal import console, working

CODE = "golden", "hdl", "sim", "fpga", "files", "code", "outcomes", "coverage"
"""Rooms and modules that figures are made by."""


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
        told = [
            "coverage", self.unit, self.preset, unit_sha256(self.unit, self.config),
            code_sha256(*CODE), tools_of("simulation"),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True)
class Maker:
    """Makes what measures coverage in a folder, or in one of its own where that is ``None``."""

    folder: Path | None
    code: str = field(default_factory=lambda: code_sha256(*CODE))

    def __call__(self) -> Callable[[Task], dict[str, Any]]:
        require_code(self.code, *CODE)
        return self.measured

    def measured(self, task: Task) -> dict[str, Any]:
        """The fields of a :class:`Coverage`."""
        if self.folder is not None:
            return _measured(task, self.folder)
        with TemporaryDirectory(prefix="softmaxfx-") as scratch:
            return _measured(task, Path(scratch))


def _measured(task: Task, out: Path) -> dict[str, Any]:
    unit = exported_unit(task.config, out, unit=task.unit, preset=task.preset)
    with claimed(out / "runs" / unit.top) as folder:
        return asdict(measure(unit, out / "models", folder))


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
    maker = Maker(out if cluster is None else None)  # others have other disks
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
    known = cache.of(task.key for task in tasks)
    left = [task for task in tasks if task.key not in known]
    with working(f"{len(left)} units: building and running with coverage counters") as progress:
        for number, (task, outcome) in enumerate(engine.run(left), start=1):
            require(outcome.status == "done", f"{task.unit}: {outcome.reason}")
            known[task.key] = outcome
            cache.put({task.key: outcome})
            progress(number / len(left))
    return [Coverage.of(known[task.key].value) for task in tasks]


def _tell(covered: Coverage, report_file: Path) -> int:
    """Write a report; 1 where something is wrong."""
    write_report(covered, report_file)
    console.print(
        f"lines {covered.percent('line'):.2f} %, bits toggled "
        f"{covered.percent('toggle'):.2f} %, {len(covered.unexplained)} signals not explained, "
        f"{covered.mismatches} mismatches; report: {report_file}"
    )
    return int(bool(covered.mismatches or covered.unexplained))
