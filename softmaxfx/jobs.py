"""What commands do with units, shown while they do it: export, build, simulate, synthesise."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .fpga import bench, exports
from .fpga.flow import Flow
from .fpga.measure import checked, synthesise
from .fpga.synthesis import Synthesis
from .fpga.tools import ToolError
from .golden import SoftmaxConfig
from .golden.units.registry import unit_sha256
from .inputs import Given
from .parallel import ProgressCallback, side_by_side
from .sim import runs
from .sim.report import Shown
from .sim.sidecar import Unit
from .sim.simulator import build
from .terminal import console, working

CHECKED_ROWS = 2000
"""Rows that a synthesised netlist is simulated with: some ten times slower than the Verilog."""

Chosen = tuple[str, str | None, SoftmaxConfig]
"""A unit, its preset where it is one, and its configuration."""


def distinct(
    units: Sequence[str], configs: Sequence[tuple[str | None, SoftmaxConfig]]
) -> list[Chosen]:
    """Every unit of the configurations; once, where they differ in what it does not know."""
    made = {}
    for unit in units:
        for preset, config in configs:
            made.setdefault((unit, unit_sha256(unit, config)), (unit, preset, config))
    return [*made.values()]


def label(unit: Unit) -> str:
    """A unit in words."""
    description = unit.description
    return " ".join(
        [description["unit"], description["preset"] or "custom", description["datapath"] or ""]
    ).strip()


def exported(chosen: Sequence[Chosen], out: Path, target: str = "generic") -> list[Unit]:
    """Export units and read them back, side by side."""
    count = f"{len(chosen)} units" if len(chosen) > 1 else f"{chosen[0][0]} {chosen[0][1] or ''}"
    with working(f"exporting {count.strip()}") as progress:
        units = side_by_side(_export, [(*one, out, target) for one in chosen], progress)
    for note in dict.fromkeys(note for *_, config in chosen for note in config.notes()):
        console.print(f"note: {note}")
    return units


def _export(
    job: tuple[str, str | None, SoftmaxConfig, Path, str], progress: ProgressCallback
) -> Unit:
    unit, preset, config, out, target = job
    return exports.exported(config, out, unit=unit, preset=preset, target=target)


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """A simulation that is to be run; arguments of :func:`.sim.runs.simulated`."""

    unit: Unit
    rows: Any
    out: Path
    seed: int
    waves: bool


def simulated(
    units: Sequence[Unit], rows: Sequence[Any], out: Path, seed: int, waves: bool
) -> list[Shown]:
    """Build the models, one after another as a build has every processor; simulate side by side."""
    tasks = []
    for unit, unit_rows in zip(units, rows, strict=True):
        with working(f"{label(unit)}: building the Verilator model"):
            build(unit, out / "models", waves=waves)
        tasks.append(Task(unit, unit_rows, out, seed, waves))

    def words(task: Task) -> str:
        return f"{label(task.unit)}: simulating {task.rows.elements:,} elements"

    if len(tasks) == 1:
        with working(words(tasks[0])) as progress:
            return side_by_side(_simulate, tasks, progress)
    total = sum(task.rows.elements for task in tasks)
    with working(f"{len(tasks)} simulations of {total:,} elements") as progress:
        return side_by_side(_simulate, tasks, progress, begun=lambda task: tell(words(task)))


def _simulate(task: Task, progress: ProgressCallback) -> Shown:
    shown = runs.simulated(
        task.unit, task.rows, task.out, seed=task.seed, waves=task.waves, progress=progress
    )
    return Shown.of(shown)


def tell(line: str) -> None:
    """A line of a log; on a terminal the bar says how far the work has come."""
    if not console.is_terminal:
        console.print(line)


def synthesised(unit: Unit, flow: Flow, seeds: int, check: bool, out: Path) -> Synthesis:
    """Synthesise, place and route a unit; measure its pace, and check its netlist on demand."""
    name = f"{label(unit)} on {flow.device.name}"

    def begin_step(words: str) -> AbstractContextManager[ProgressCallback]:
        return working(f"{name}: {words}")

    synthesis = synthesise(unit, flow, seeds, out, begin_step)
    if not check:
        return synthesis
    rows = Given(limit=CHECKED_ROWS).rows(unit.name, unit.config)
    return checked(synthesis, rows, out, begin_step)


def benched(case: bench.Case, unit: Unit, flow: Flow, seeds: int, out: Path) -> bench.Result:
    """What becomes of a case; where a tool fails on the design, its sentence."""
    error = bench.sample_error(case.config) if case.softmax else None
    try:
        synthesis = synthesised(unit, flow, seeds, False, out)
    except ToolError as failed:
        console.print(failed.reason, style="red")
        return bench.Result(case, unit, None, error, failed.reason)
    return bench.Result(case, unit, synthesis, error)
