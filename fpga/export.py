"""From a configuration to Verilog, and the sidecar that tells a machine what the Verilog is."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import require_folder, write_whole
from ..golden.config import SoftmaxConfig
from ..golden.errors import require
from ..golden.units.registry import unit_record
from ..hdl.targets.ecp5 import Ecp5
from ..hdl.targets.generic import GENERIC, ROM_STYLES, Target
from ..hdl.targets.ice40 import Ice40
from ..hdl.targets.xilinx import SERIES_7, ULTRASCALE_PLUS
from .cells import models_of
from .description import describe
from .header import command, header
from .units import HARDWARE
from .verilog import WAIVERS, verilog_text, with_waivers

TARGETS: dict[str, Target] = {
    target.name: target for target in (GENERIC, Ecp5(), Ice40(), SERIES_7, ULTRASCALE_PLUS)
}
"""Technologies whose primitives an export can instantiate."""

STARTS = {"reset": True, "none": False}
"""Whether registers start with the value that a reset gives them, or with none."""

RESERVED = frozenset((Path(__file__).parent / "data" / "keywords.txt").read_text().split())
"""Words that no module can be called: keywords of Verilog or SystemVerilog (IEEE 1800-2017)."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported unit: its Verilog file, its sidecar file, and what the sidecar says."""

    verilog: Path
    sidecar: Path
    description: dict[str, Any]


def default_name(unit: str, config: SoftmaxConfig, target: str = "generic") -> str:
    """Unit, a short hash of the configuration, and target: unique in a project with several."""
    suffix = "" if target == "generic" else f"_{target}"
    return f"{unit}_{unit_record(unit).sha256(config)[:8]}{suffix}"


def export(
    config: SoftmaxConfig,
    directory: Path,
    *,
    unit: str = "softmax",
    preset: str | None = None,
    name: str | None = None,
    rom: str = "memory",
    target: str = "generic",
    init: str = "reset",
) -> Exported:
    """Write ``NAME.v`` and ``NAME.json`` to ``directory``; the same input gives the same bytes.

    Models of a target's primitives are written beside them. Every file is whole, and nothing is
    written before everything has succeeded.

    Args:
        rom: how tables are written: as initialised memories, or as case statements for
            technologies that have none.
        target: the technology whose primitives are instantiated; generic is portable Verilog.
        init: what registers start with: the value that a reset gives them, or none, for
            technologies whose flip-flops have no initial value. A reset comes before use then.

    Raises:
        ConfigError: an unknown unit, a name that is no Verilog identifier, or a configuration
            that cannot keep a promise.
    """
    record = unit_record(unit)
    require(rom in ROM_STYLES, f"rom must be one of {', '.join(ROM_STYLES)}, not {rom!r}")
    require(target in TARGETS, f"target must be one of {', '.join(TARGETS)}, not {target!r}")
    require(init in STARTS, f"init must be one of {', '.join(STARTS)}, not {init!r}")
    require(
        target == "generic" or rom == "memory",
        f"rom must be memory for target {target}, whose block RAM holds the tables, not {rom!r}",
    )
    own_name = default_name(unit, config, target)
    name = checked_name(own_name if name is None else name, target)
    require_folder("out", directory)
    record.bounds(config)  # proves the promises: a configuration that breaks one goes no further
    body = verilog_of(config, unit=unit, name=name, rom=rom, target=target, init=init)
    models = models_of(target)
    description = describe(
        config,
        unit=unit,
        preset=preset,
        name=name,
        rom=rom,
        target=target,
        init=init,
        command=command(
            config,
            unit=unit,
            name=name,
            default_name=own_name,
            options={"rom": rom, "target": target, "init": init},
        ),
        models=list(models),
        body=body,
    )
    text = header(config, description) + "\n" + with_waivers(body, WAIVERS)
    description["verilog_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    verilog, sidecar = directory / f"{name}.v", directory / f"{name}.json"
    for file, content in models.items():
        write_whole(directory / file, content)
    write_whole(verilog, text)
    write_whole(sidecar, json.dumps(description, indent=2) + "\n")
    return Exported(verilog, sidecar, description)


def verilog_of(
    config: SoftmaxConfig, *, unit: str, name: str, rom: str, target: str, init: str = "reset"
) -> str:
    """Verilog of a unit, without what the file says of itself; arguments as of :func:`export`."""
    technology = ROM_STYLES[rom] if target == "generic" else TARGETS[target]
    top = HARDWARE[unit].top(config=config, target=technology)
    return verilog_text(top, name, starts=STARTS[init])


def checked_name(name: str, target: str) -> str:
    """The name of a top module.

    Raises:
        ConfigError: one that no module can have in Verilog or SystemVerilog, or that a primitive
            of the target has.
    """
    require(
        re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) is not None,
        f"name must be a Verilog identifier, not {name!r}",
    )
    require(
        name not in RESERVED,
        f"name must not be a keyword of Verilog or SystemVerilog, as {name!r} is",
    )
    taken = re.findall(r"^module (\w+)", "".join(models_of(target).values()), re.MULTILINE)
    require(name not in taken, f"name must not be that of a primitive of {target}, as {name!r} is")
    return name
