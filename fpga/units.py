"""The units that can be exported, and what the sidecar tells of each besides its configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..golden.config import SoftmaxConfig
from ..golden.errors import ConfigError
from ..golden.formats import Format
from ..golden.proofs.bounds import backward_bound_ulp, bound_ulp, loss_bound
from ..hdl.axi.cross_entropy import CrossEntropyAxi
from ..hdl.axi.softmax import SoftmaxAxi
from ..hdl.axi.softmax_backward import SoftmaxBackwardAxi
from ..hdl.flow.inlet import Inlet
from ..hdl.units import cross_entropy, softmax, softmax_backward
from ..hdl.units.latency import Capacity, Latency


@dataclass(frozen=True, slots=True)
class UnitKind:
    """One of the units.

    Attributes:
        top: its AXI top, of a configuration and a target.
        latency: of a configuration.
        bounds: proven errors by their names in the sidecar, ``bound_ulp`` the first. Proving them
            refuses a configuration that cannot keep a promise.
        formats: of the elements on its ports.
        users: what tuser is, of every stream. capacity: of a configuration.
        has_datapath: its configuration's ``datapath`` matters.
        more: what else the sidecar tells.
    """

    top: Callable[..., Any]
    latency: Callable[[SoftmaxConfig], Latency]
    bounds: Callable[[SoftmaxConfig], dict[str, float]]
    formats: Callable[[SoftmaxConfig], dict[str, Format]]
    users: dict[str, str]
    capacity: Callable[[SoftmaxConfig], Capacity]
    has_datapath: bool = True
    more: Callable[[SoftmaxConfig], dict[str, Any]] = lambda _: {}


_STATUS = "bit 0 error, 1 saturated, 2 ignored"
_ROW = f"{_STATUS}, 3 + lane clipped"
_MASK = "bit a lane: 1 leaves the element out"

UNITS: dict[str, UnitKind] = {
    "softmax": UnitKind(
        top=SoftmaxAxi,
        latency=softmax.latency,
        bounds=lambda config: {"bound_ulp": bound_ulp(config)},
        formats=lambda config: {"input": config.input, "output": config.output},
        users={"s_axis": _MASK, "m_axis": _ROW},
        capacity=softmax.capacity,
    ),
    "softmax_backward": UnitKind(
        top=SoftmaxBackwardAxi,
        latency=softmax_backward.latency,
        bounds=lambda config: {"bound_ulp": backward_bound_ulp(config)},
        formats=lambda config: {
            "p": config.output,
            "grad_input": config.grad_input,
            "grad_output": config.grad_output,
        },
        users={"s_axis_p": _ROW, "s_axis_dp": "", "m_axis": _ROW},
        capacity=softmax_backward.capacity,
        has_datapath=False,
        more=lambda _: {"skew_beats": Inlet.SKEW},
    ),
    "cross_entropy": UnitKind(
        top=CrossEntropyAxi,
        latency=cross_entropy.latency,
        bounds=lambda config: {
            "bound_ulp": bound_ulp(config),
            "loss_bound_ulp": loss_bound(config).ulp,
        },
        formats=lambda config: {
            "input": config.input,
            "loss_grad": config.loss_grad,
            "loss": config.loss,
        },
        users={"s_axis": _MASK, "s_axis_target": "", "m_axis": _ROW, "m_axis_loss": _STATUS},
        capacity=cross_entropy.capacity,
    ),
}
"""Every unit by its name."""


def unit_kind(name: str) -> UnitKind:
    """A unit.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in UNITS:
        raise ConfigError(f"unknown unit {name!r}; units are {', '.join(UNITS)}")
    return UNITS[name]


def streams(ports: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The AXI4-Stream ports of a unit, from the ports of its Verilog.

    Each has its ``name``, its ``direction`` (``"sink"``: into the unit), and widths in bits of
    tdata (``bits``), tkeep, tuser and tid (``keep``, ``user``, ``id``; 0 where it has none).
    """

    def width(name: str) -> int:
        return ports[name]["width"] if name in ports else 0

    found = []
    for port, told in ports.items():
        name, _, signal = port.rpartition("_")
        if signal == "tdata":
            found.append(
                {
                    "name": name,
                    "direction": "sink" if told["direction"] == "input" else "source",
                    "bits": told["width"],
                    "keep": width(f"{name}_tkeep"),
                    "user": width(f"{name}_tuser"),
                    "id": width(f"{name}_tid"),
                    "last": f"{name}_tlast" in ports,
                }
            )
    return found
