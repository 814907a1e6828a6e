"""From a unit to its figures: synthesised, placed, and paced."""

from pathlib import Path

import numpy as np

from ..golden.errors import require
from ..golden.rows import LogitRows
from ..sim.kinds import kind_of
from ..sim.paced import PACE_ROWS
from ..sim.runs import simulated
from ..sim.sidecar import Unit
from .flow import Flow
from .synthesis import Synthesis, count_cells, summarise

PACE_LENGTH = 64
"""Elements of the rows that elements per cycle are measured with, where the unit takes them."""


def synthesise(unit: Unit, flow: Flow, seeds: int, out: Path) -> Synthesis:
    """Synthesise a unit, place and route it with seeds 1 to ``seeds``, and measure its pace.

    Where no open tool places a design on the device, nothing is placed.

    Args:
        out: directory of everything generated.

    Raises:
        ToolError: yosys or nextpnr failed, as nextpnr does where the design does not fit.
        ConfigError: no simulator, or an output that is not the golden model's.
    """
    netlist = flow.synthesise(unit)
    if flow.placer is None:
        return count_cells(unit, flow, netlist, measure_pace(unit, out))
    chosen = tuple(range(1, seeds + 1))
    reports = [flow.place(netlist, seed) for seed in chosen]
    return summarise(unit, flow, netlist, chosen, reports, measure_pace(unit, out))


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
