"""From a unit to its figures: synthesised, placed, paced, and its netlist checked."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..golden.errors import require
from ..golden.rows import LogitRows
from ..sim.kinds import kind_of
from ..sim.pace import PACE_ROWS
from ..sim.runs import simulated
from ..sim.sidecar import Unit
from ..sim.testbench import ProgressCallback
from .flow import Flow, Netlist
from .gate_level import check_netlist
from .synthesis import Synthesis, count_cells, summarise

PACE_LENGTH = 64
"""Elements of the rows that elements per cycle are measured with, where the unit takes them."""

MEASURING = "measuring elements per cycle"

BeginStep = Callable[[str], AbstractContextManager[ProgressCallback]]
"""Called with what a step of the work does; gives what is called with its share that is done."""


def silent(_: str) -> AbstractContextManager[ProgressCallback]:
    """Nobody looks on."""
    return nullcontext(lambda share: None)


def synthesise(
    unit: Unit, flow: Flow, seeds: int, out: Path, begin_step: BeginStep = silent,
    *, at_once: int | None = None,
) -> Synthesis:  # fmt: skip
    """Synthesise a unit, place and route it with seeds 1 to ``seeds``, and measure its pace.

    Where no open tool places a design on the device, nothing is placed.

    Args:
        out: directory of everything generated.
        at_once: seeds that are placed side by side; one a processor where it is ``None``.

    Raises:
        ToolError: yosys or nextpnr failed, as nextpnr does where the design does not fit.
        ConfigError: no simulator, or an output that is not the golden model's.
    """
    with begin_step("synthesising"):
        netlist = flow.synthesise(unit)
    if flow.placer is None:
        with begin_step(MEASURING):
            return count_cells(unit, flow, netlist, measure_pace(unit, out))
    chosen = tuple(range(1, seeds + 1))
    with begin_step(f"placing and routing, {seeds} seeds") as progress:
        reports = place_seeds(flow, netlist, chosen, progress, at_once=at_once)
    with begin_step(MEASURING):
        pace = measure_pace(unit, out)
    return summarise(unit, flow, netlist, chosen, reports, pace)


def checked(
    synthesis: Synthesis, rows: Any, out: Path, begin_step: BeginStep = silent
) -> Synthesis:
    """The same, its netlist simulated and compared with the golden model on rows.

    Args:
        rows: of the type of the unit's kind. out: directory of everything generated.

    Raises:
        ConfigError: no simulator, or a netlist that does not build.
    """
    unit, flow = synthesis.unit, synthesis.flow
    netlist = flow.synthesise(unit).verilog  # kept since it was placed
    with begin_step(f"simulating {rows.elements:,} elements in the netlist") as progress:
        gate_level = check_netlist(unit, netlist, flow.device, rows, out, progress)
    return replace(synthesis, gate_level=gate_level)


def place_seeds(
    flow: Flow,
    netlist: Netlist,
    seeds: tuple[int, ...],
    progress: ProgressCallback = lambda _: None,
    *,
    at_once: int | None = None,
) -> list[dict[str, Any]]:
    """nextpnr's report of every seed; ``at_once`` as :func:`synthesise` takes it.

    Raises:
        ConfigError: nextpnr failed, as it does where the design does not fit.
    """
    reports = []
    with ThreadPoolExecutor(at_once or os.cpu_count()) as pool:
        try:
            for report in pool.map(lambda seed: flow.place(netlist, seed), seeds):
                reports.append(report)
                progress(len(reports) / len(seeds))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # what fails with one seed fails with all
            raise
    return reports


def measure_pace(unit: Unit, out: Path) -> float:
    """Elements per cycle of rows back to back, in Verilator.

    Args:
        out: directory of everything generated.

    Raises:
        ConfigError: no simulator, or an output that is not the golden model's.
    """
    shape = PACE_ROWS, min(PACE_LENGTH, unit.config.max_length)
    rng = np.random.default_rng(1)
    logits = LogitRows.from_array(rng.normal(0, 3, shape))
    rows = kind_of(unit).rows(logits, unit.config, rng)
    measured = simulated(unit, rows, out)
    require(
        measured.score.mismatches == 0,
        f"{unit.top} must equal the golden model before it is measured: {measured.score.first}",
    )
    return measured.elements_per_cycle
