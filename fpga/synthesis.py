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


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A unit on a device.

    Attributes:
        seeds: of place-and-route. fmax_mhz: one a seed, in that order.
        lut, ff, dsp, bram: of the unit: what the design has less the wrapper's.
        wrapper_lut, wrapper_ff: of the wrapper.
        elements_per_cycle: measured, rows of 64 elements back to back.
        path: the critical path of the seed with the median frequency.
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
    path: CriticalPath
    gate_level: GateLevel | None = None

    @property
    def target(self) -> str:
        """The device; ``-portable`` where its primitives could have been instantiated."""
        device = self.flow.device
        plain = self.unit.description["target"] == device.primitives
        return device.name if plain else f"{device.name}-portable"

    def to_dict(self) -> dict[str, Any]:
        """The fields of ``synth --json``."""
        fmax = statistics.median(self.fmax_mhz)
        rate = self.elements_per_cycle * fmax
        description = self.unit.description
        checked = self.gate_level
        return {
            "unit": description["unit"],
            "preset": description["preset"],
            "datapath": description["datapath"],
            "lanes": description["lanes"],
            "target": self.target,
            "seeds": list(self.seeds),
            "fmax_mhz": {"median": fmax, "min": min(self.fmax_mhz), "max": max(self.fmax_mhz)},
            "lut": self.lut,
            "ff": self.ff,
            "dsp": self.dsp,
            "bram": self.bram,
            "melem_per_s": rate,
            "melem_per_s_per_lut": rate / self.lut,
            "melem_per_s_per_lut_and_dsp": rate / (self.lut + DSP_LUTS * self.dsp),
            "elements_per_cycle": self.elements_per_cycle,
            "latency_cycles": description["latency"]["fixed"] + description["latency"]["per_beat"],
            "wrapper": {"lut": self.wrapper_lut, "ff": self.wrapper_ff},
            "critical_path": {**asdict(self.path), "signals": list(self.path.signals)},
            "tools": {"yosys": self.flow.yosys.version, "nextpnr": self.flow.placer.version},
            "config_sha256": description["config_sha256"],
            **(
                {"gate_level": {"elements": checked.elements, "mismatches": checked.mismatches}}
                if checked
                else {}
            ),
        }


def summarise(
    unit: Unit,
    flow: Flow,
    netlist: Netlist,
    seeds: tuple[int, ...],
    reports: list[dict[str, Any]],
    elements_per_cycle: float,
) -> Synthesis:
    """The figures of a unit, from nextpnr's report of every seed."""
    device = flow.device
    fmax = [next(iter(report["fmax"].values()))["achieved"] for report in reports]
    middle = fmax.index(statistics.median_low(fmax))
    used = {kind: cells["used"] for kind, cells in reports[0]["utilization"].items()}
    wrapper_lut = device.logic_count(netlist.wrapper)
    return Synthesis(
        unit=unit,
        flow=flow,
        seeds=seeds,
        fmax_mhz=tuple(round(f, 2) for f in fmax),
        lut=used[device.logic] - wrapper_lut,
        ff=device.flip_flop_count(netlist.unit),
        dsp=used[device.multiplier],
        bram=used[device.memory],
        wrapper_lut=wrapper_lut,
        wrapper_ff=device.flip_flop_count(netlist.wrapper),
        elements_per_cycle=elements_per_cycle,
        path=critical_path(reports[middle]),
    )
