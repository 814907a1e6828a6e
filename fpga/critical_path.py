"""The slowest path of a placed design, in the names of the unit's own signals."""

import re
from dataclasses import dataclass
from typing import Any

from .wrapper import INSTANCE

# What yosys appends to the signal that a cell computes, nextpnr to a cell or net, and memory
# mapping to the pieces of a memory.
_NOISE = tuple(
    re.compile(pattern)
    for pattern in (
        r"_(?:LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_[A-Z0-9]+|DP16KD|MULT18X18D|SB_[A-Z0-9_]+?)_[A-Z].*",
        r"(?<=[^.])\$.*",
        r"\[\d+\]$",
        r"(?:\.\d+)+(?:_[A-Z]+\d*)?$",
        r"\.?\$.*",
    )
)


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The slowest path from clock edge to clock edge.

    Attributes:
        signals: what it passes, from the register it starts in to the one it ends in.
        logic_ns, routing_ns: delay in cells (clock-to-output and setup included) and in wires.
    """

    signals: tuple[str, ...]
    logic_ns: float
    routing_ns: float

    def __str__(self) -> str:
        total = self.logic_ns + self.routing_ns
        share = 100 * self.logic_ns / total if total else 0.0
        return f"{' > '.join(self.signals)} ({total:.2f} ns, {share:.0f} % of it logic)"


def critical_path(report: dict[str, Any]) -> CriticalPath:
    """The slowest register-to-register path of nextpnr's ``--report``."""
    paths = [p for p in report["critical_paths"] if "<async>" not in (p["from"], p["to"])]
    steps = max(paths, key=lambda path: sum(step["delay"] for step in path["path"]))["path"]
    routing = [step for step in steps if step["type"] == "routing"]
    names = [*(step["net"] for step in routing), steps[-1]["to"]["cell"]]
    signals = [signal for signal in map(signal_name, names) if signal]
    distinct = [s for i, s in enumerate(signals) if i == 0 or s != signals[i - 1]]
    return CriticalPath(
        signals=tuple(distinct),
        logic_ns=round(sum(s["delay"] for s in steps if s["type"] != "routing"), 3),
        routing_ns=round(sum(s["delay"] for s in routing), 3),
    )


def signal_name(name: str) -> str:
    """The source signal that a cell or net of the netlist computes.

    A signal that has no name in the source goes by the module it lies in; in the top module, it
    is left without one.
    """
    name = name.removeprefix(f"{INSTANCE}.")
    for noise in _NOISE:
        name = noise.sub("", name)
    return name
