"""Simulations of units: of one of them here and now, of several side by side, each once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from .cache import Cache, completed
from .golden.errors import require
from .jobs import Chosen, announced, tell_known
from .outcomes import Outcome
from .sim import runs
from .sim.report import Shown
from .sim.sidecar import Unit
from .sim.simulator import build
from .study.tasks import MadeBy, Maker
from .terminal import console, working

MADE_BY = MadeBy(
    "simulation",
    (
        "golden", "hdl", "sim", "fpga", "files", "code", "outcomes", "study.tasks", "jobs",
        "simulations",
    ),
)  # fmt: skip
"""What simulations show."""


@dataclass(frozen=True)
class Task:
    """A unit that is to be simulated.

    Attributes:
        target: whose primitives it has. rows: hash of its rows, which the maker has.
        elements: of the rows. seed: of the pauses.
    """

    chosen: Chosen
    target: str
    rows: str
    elements: int
    seed: int

    @property
    def long(self) -> bool:
        """It builds a model."""
        return True

    @property
    def words(self) -> str:
        return f"{self.chosen.label}: building, simulating {self.elements:,} elements"

    @property
    def key(self) -> str:
        """SHA-256 of all that its outcome depends on."""
        return MADE_BY.key("simulation", self.chosen.told, self.target, self.rows, self.seed)

    def run(self, folder: Path, given: dict[str, Any]) -> dict[str, Any]:
        """The fields of a :class:`.sim.report.Shown`."""
        unit = self.chosen.exported(folder, self.target)
        return Shown.of(runs.simulated(unit, given[self.rows], folder, seed=self.seed)).to_dict()


def simulated_here(
    label: str, unit: Unit, rows: Any, out: Path, *, seed: int, waves: bool
) -> Shown:
    """Simulate a unit in this process, which uses every processor."""
    with working(f"{label}: building the Verilator model"):
        build(unit, out / "models", waves=waves)
    with working(f"{label}: simulating {rows.elements:,} elements") as progress:
        return Shown.of(runs.simulated(unit, rows, out, seed=seed, waves=waves, progress=progress))


def simulated(
    chosen: Sequence[Chosen], rows: Sequence[Any], target: str, seed: int, out: Path, *,
    cluster: str | None, workers: int | None,
) -> list[Shown]:  # fmt: skip
    """Export, build and simulate units side by side; what was well before is not run again.

    Args:
        cluster, workers: see :func:`.clusters.cluster_of`.

    Raises:
        ConfigError: one of them did not come to its end; the others that did stay known.
    """
    from .clusters import cluster_of  # Dask takes a second to import
    from .engine import Engine

    given = {rows_sha256(one): one for one in rows}
    tasks = [
        Task(one, target, rows_sha256(its), its.elements, seed)
        for one, its in zip(chosen, rows, strict=True)
    ]
    maker = Maker(out if cluster is None else None, MADE_BY, given)  # others have other disks
    with (
        Engine(maker, cluster_of(cluster, workers), tell=console.print) as engine,
        Cache(out / "cache.sqlite") as cache,
    ):
        tell_known(cache, tasks)
        total = sum(task.elements for task in tasks)
        with working(f"{len(tasks)} simulations of {total:,} elements") as progress:
            found = completed(
                cache, tasks, lambda left: engine.run(announced(left)), progress, is_kept=_is_well
            )
    return [Shown.from_dict(found[task.key].value) for task in tasks]


def _is_well(task: Task, outcome: Outcome) -> bool:
    """What was not well is to be seen again."""
    require(outcome.status == "done", f"{task.chosen.label}: {outcome.reason}")
    return not outcome.value["failures"]


def rows_sha256(rows: Any) -> str:
    """Hash of rows of any kind: of all arrays in them."""
    digest = hashlib.sha256()
    for field in fields(rows):
        value = getattr(rows, field.name)
        if isinstance(value, np.ndarray):
            told = f"{field.name} {value.dtype.str} {value.shape}".encode()
            digest.update(told + np.ascontiguousarray(value).tobytes())
        else:
            digest.update(f"{field.name} {rows_sha256(value)}".encode())
    return digest.hexdigest()
