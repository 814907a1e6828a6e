"""The netlist that synthesis made of a unit, simulated in the unit's own testbench.

Bits are compared with the golden model's: so the check covers what synthesis did, and the
primitives that only a device has.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..sim.runs import simulated
from ..sim.sidecar import Unit
from ..sim.testbench import ProgressCallback
from .cells import with_cells
from .device import Device


@dataclass(frozen=True, slots=True)
class GateLevel:
    """What a netlist's simulation showed.

    Attributes:
        elements: compared. mismatches: elements that differ from the golden model's.
        first: the first of them, in words; empty where there is none.
    """

    elements: int
    mismatches: int
    first: str


def check_netlist(
    unit: Unit,
    netlist: Path,
    device: Device,
    rows: Any,
    out: Path,
    progress: ProgressCallback = lambda _: None,
) -> GateLevel:
    """Stream rows through the netlist of a unit and compare every element.

    Args:
        rows: of the type of the unit's kind.
        netlist: Verilog of the unit in cells of the device, its ports under their names.
        out: directory of everything generated.

    Raises:
        ConfigError: no simulator, or a netlist that does not build.
    """
    gates = with_cells(unit, netlist, device, out / "gates" / device.name)
    shown = simulated(gates, rows, out, name=f"{unit.top}_gates", progress=progress)
    return GateLevel(shown.score.elements, shown.score.mismatches, shown.score.first)
