"""What a unit costs on a device and how fast it is there, by rules that leave nothing to choose."""

import statistics
from dataclasses import asdict, dataclass
from typing import Any

from ..sim.sidecar import Unit
from .critical_path import CriticalPath, critical_path
from .flow import Flow, Netlist
from .gate_level import GateLevel

DSP_LUTS = 100
"""LUTs that a DSP block counts as, where the two are added."""
PLACED, NOT_PLACED = "placed and routed", "not placed"
"""What the frequency is of."""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A unit on a device.

    Attributes:
        seeds: of place-and-route. fmax_mhz: one a seed, in that order. Both are empty where no
            open tool places a design on the device.
        lut, ff, dsp, bram: of the unit: what the placed design has less the wrapper's; or the cells
            of the unit's netlist, where it is not placed.
        wrapper_lut, wrapper_ff: of the wrapper.
        elements_per_cycle: measured, rows of 64 elements back to back.
        path: the critical path of the seed with the median frequency; None where there is none.
        gate_level: the netlist against the golden model, where that was checked.
    """

    unit: Unit
    flow: Flow
    seeds: tuple[int, ...]
    fmax_mhz: tuple[float, ...]
    lut: int
    ff: int
    dsp: int
    bram: int
    wrapper_lut: int
    wrapper_ff: int
    elements_per_cycle: float
    path: CriticalPath | None
    gate_level: GateLevel | None = None

    @property
    def target(self) -> str:
        """The device; ``-portable`` where its primitives could have been instantiated."""
        device = self.flow.device
        plain = self.unit.description["target"] == device.primitives
        return device.name if plain else f"{device.name}-portable"

    def to_dict(self) -> dict[str, Any]:
        """The fields of ``synth --json``; what follows from a frequency is None without one."""
        description, placer = self.unit.description, self.flow.placer
        checked, path = self.gate_level, self.path
        return {
            "unit": description["unit"],
            "preset": description["preset"],
            "datapath": description["datapath"],
            "lanes": description["lanes"],
            "target": self.target,
            "frequency": PLACED if self.fmax_mhz else NOT_PLACED,
            "seeds": list(self.seeds),
            "fmax_mhz": self._fmax(),
            "lut": self.lut,
            "ff": self.ff,
            "dsp": self.dsp,
            "bram": self.bram,
            **self._rates(),
            "elements_per_cycle": self.elements_per_cycle,
            "latency_cycles": description["latency"]["fixed"] + description["latency"]["per_beat"],
            "wrapper": {"lut": self.wrapper_lut, "ff": self.wrapper_ff},
            "critical_path": path and {**asdict(path), "signals": list(path.signals)},
            "tools": {
                "yosys": self.flow.yosys.version,
                **({"nextpnr": placer.version} if placer else {}),
            },
            "config_sha256": description["config_sha256"],
            **(
                {"gate_level": {"elements": checked.elements, "mismatches": checked.mismatches}}
                if checked
                else {}
            ),
        }

    def _fmax(self) -> dict[str, float] | None:
        if not self.fmax_mhz:
            return None
        fmax = self.fmax_mhz
        return {"median": statistics.median(fmax), "min": min(fmax), "max": max(fmax)}

    def _rates(self) -> dict[str, float | None]:
        """Elements per second, and per LUT."""
        names = "melem_per_s", "melem_per_s_per_lut", "melem_per_s_per_lut_and_dsp"
        if not self.fmax_mhz:
            return dict.fromkeys(names)
        rate = self.elements_per_cycle * statistics.median(self.fmax_mhz)
        per = (1, self.lut, self.lut + DSP_LUTS * self.dsp)
        return {name: rate / count for name, count in zip(names, per, strict=True)}


def count_cells(unit: Unit, flow: Flow, netlist: Netlist, elements_per_cycle: float) -> Synthesis:
    """The figures of a unit that is not placed: the cells of its netlist, and no frequency."""
    device = flow.device
    return Synthesis(
        unit=unit,
        flow=flow,
        seeds=(),
        fmax_mhz=(),
        lut=device.logic_count(netlist.unit),
        ff=device.flip_flop_count(netlist.unit),
        dsp=device.multiplier_count(netlist.unit),
        bram=device.memory_count(netlist.unit),
        wrapper_lut=device.logic_count(netlist.wrapper),
        wrapper_ff=device.flip_flop_count(netlist.wrapper),
        elements_per_cycle=elements_per_cycle,
        path=None,
    )


def summarise(
    unit: Unit,
    flow: Flow,
    netlist: Netlist,
    seeds: tuple[int, ...],
    reports: list[dict[str, Any]],
    elements_per_cycle: float,
) -> Synthesis:
    """The figures of a unit, from nextpnr's report of every seed."""
    device, placer = flow.device, flow.device.placer
    assert placer is not None, "it was placed"
    fmax = [next(iter(report["fmax"].values()))["achieved"] for report in reports]
    middle = fmax.index(statistics.median_low(fmax))
    used = {kind: cells["used"] for kind, cells in reports[0]["utilization"].items()}
    wrapper_lut = device.logic_count(netlist.wrapper)
    return Synthesis(
        unit=unit,
        flow=flow,
        seeds=seeds,
        fmax_mhz=tuple(round(f, 2) for f in fmax),
        lut=used[placer.logic] - wrapper_lut,
        ff=device.flip_flop_count(netlist.unit),
        dsp=used[placer.multiplier],
        bram=used[placer.memory],
        wrapper_lut=wrapper_lut,
        wrapper_ff=device.flip_flop_count(netlist.wrapper),
        elements_per_cycle=elements_per_cycle,
        path=critical_path(reports[middle]),
    )
