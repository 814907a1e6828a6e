"""What the hardware adds to a unit's record: what it is made by, and its cycles."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..golden.config import SoftmaxConfig
from ..hdl.axi.adaptive_softmax import AdaptiveSoftmaxAxi
from ..hdl.axi.cross_entropy import CrossEntropyAxi
from ..hdl.axi.softmax import SoftmaxAxi
from ..hdl.axi.softmax_backward import SoftmaxBackwardAxi
from ..hdl.flow.inlet import Inlet
from ..hdl.units import adaptive_softmax, cross_entropy, softmax, softmax_backward
from ..hdl.units.capacity import Capacity
from ..hdl.units.latency import Latency


@dataclass(frozen=True, slots=True)
class UnitHardware:
    """One of the units, see :mod:`.golden.units.registry`.

    Attributes:
        top: its AXI top, of a configuration and a target.
        latency, capacity: of a configuration.
        more: what else the sidecar tells.
    """

    top: Callable[..., Any]
    latency: Callable[[SoftmaxConfig], Latency]
    capacity: Callable[[SoftmaxConfig], Capacity]
    more: Callable[[SoftmaxConfig], dict[str, Any]] = lambda _: {}


def _passes(config: SoftmaxConfig) -> dict[str, Any]:
    """What the sidecar tells of rows that come twice, where there are any."""
    if not config.two_passes:
        return {}
    return {
        "passes": {
            "longest_once": config.buffer_length,
            "first_pass": f"bit {config.lanes} of s_axis_tuser, on every beat of the first pass",
            "first_pass_bit": config.lanes,
            "once_most_beats": config.held_beats,
            "resent": "another length, a fault or a mark: in error from the beat that shows it on",
        }
    }


HARDWARE: dict[str, UnitHardware] = {
    "softmax": UnitHardware(SoftmaxAxi, softmax.latency, softmax.capacity, _passes),
    "softmax_backward": UnitHardware(
        SoftmaxBackwardAxi,
        softmax_backward.latency,
        softmax_backward.capacity,
        more=lambda _: {"skew_beats": Inlet.SKEW},
    ),
    "cross_entropy": UnitHardware(
        CrossEntropyAxi, cross_entropy.latency, cross_entropy.capacity, _passes
    ),
    "adaptive_softmax": UnitHardware(
        AdaptiveSoftmaxAxi,
        adaptive_softmax.latency,
        adaptive_softmax.capacity,
        more=lambda config: {"clusters": list(config.clusters.lengths)},
    ),
}
"""Every unit by its name."""


def streams(ports: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The AXI4-Stream ports of a unit, from the ports of its Verilog.

    Each has its ``name``, its ``direction`` (``"sink"``: into the unit), and widths in bits of
    tdata (``bits``), tkeep, tuser, tid and tdest (``keep``, ``user``, ``id``, ``dest``; 0 where it
    has none).
    """

    def width(name: str) -> int:
        return ports[name]["width"] if name in ports else 0

    found = []
    for port, fields in ports.items():
        name, _, signal = port.rpartition("_")
        if signal == "tdata":
            found.append(
                {
                    "name": name,
                    "direction": "sink" if fields["direction"] == "input" else "source",
                    "bits": fields["width"],
                    "keep": width(f"{name}_tkeep"),
                    "user": width(f"{name}_tuser"),
                    "id": width(f"{name}_tid"),
                    "dest": width(f"{name}_tdest"),
                    "last": f"{name}_tlast" in ports,
                }
            )
    return found
