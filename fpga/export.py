"""From a configuration to Verilog, and the sidecar that tells a machine what the Verilog is."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..golden.config import SoftmaxConfig
from ..golden.errors import ConfigError, require
from ..hdl.ecp5 import Ecp5
from ..hdl.ice40 import Ice40
from ..hdl.target import GENERIC, ROM_STYLES, Target
from .units import streams, unit_kind

TARGETS: dict[str, Target] = {"generic": GENERIC, "ecp5": Ecp5(), "ice40": Ice40()}
"""Technologies whose primitives an export can instantiate."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported unit: its Verilog file, its sidecar file, and what the sidecar says."""

    verilog: Path
    sidecar: Path
    description: dict[str, Any]


def default_name(unit: str, config: SoftmaxConfig, target: str = "generic") -> str:
    """Unit, a short hash of the configuration, and target: unique in a project with several."""
    suffix = "" if target == "generic" else f"_{target}"
    return f"{unit}_{config.sha256(unit)[:8]}{suffix}"


def export(
    config: SoftmaxConfig,
    directory: Path,
    *,
    unit: str = "softmax",
    preset: str | None = None,
    name: str | None = None,
    rom: str = "memory",
    target: str = "generic",
) -> Exported:
    """Write ``NAME.v`` and ``NAME.json`` to ``directory``; the same input gives the same bytes.

    Both files appear at once, after everything has succeeded.

    Args:
        rom: how tables are written: as initialised memories, or as case statements for
            technologies that have none.
        target: the technology whose primitives are instantiated; generic is portable Verilog.

    Raises:
        ConfigError: an unknown unit, a name that is no Verilog identifier, or a configuration
            that cannot keep a promise.
    """
    kind = unit_kind(unit)
    require(rom in ROM_STYLES, f"rom must be one of {', '.join(ROM_STYLES)}, not {rom!r}")
    require(target in TARGETS, f"target must be one of {', '.join(TARGETS)}, not {target!r}")
    require(
        target == "generic" or rom == "memory",
        f"rom must be memory for target {target}, whose block RAM holds the tables, not {rom!r}",
    )
    name = name or default_name(unit, config, target)
    require(
        re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) is not None,
        f"name must be a Verilog identifier, not {name!r}",
    )
    kind.bounds(config)  # proves the promises: a configuration that breaks one goes no further
    technology = ROM_STYLES[rom] if target == "generic" else TARGETS[target]
    text = verilog_text(kind.top(config=config, target=technology), name)
    description = describe(
        config, unit=unit, preset=preset, name=name, rom=rom, target=target, text=text
    )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            for suffix, content in ((".v", text), (".json", json.dumps(description, indent=2))):
                (Path(scratch) / f"{name}{suffix}").write_text(content + "\n" * (suffix != ".v"))
            for suffix in (".v", ".json"):
                shutil.move(Path(scratch) / f"{name}{suffix}", directory / f"{name}{suffix}")
    except OSError as error:
        raise ConfigError(f"out must be a writable directory, not {directory}: {error}") from None
    return Exported(directory / f"{name}.v", directory / f"{name}.json", description)


def verilog_text(top: Any, name: str) -> str:
    """Plain Verilog-2005 of a component, every module name prefixed with ``name``."""
    os.environ.setdefault("AMARANTH_USE_YOSYS", "builtin")  # the same bytes on every machine
    from amaranth.back import verilog

    text = verilog.convert(top, name=name, emit_src=False, strip_internal_attrs=True)
    text = text.split("\n", 1)[1] if text.startswith("/*") else text
    require(f"module {name}(" in text, f"name must not be a keyword of Verilog, as {name!r} is")
    modules = re.findall(r"^module \\(\S+) ", text, re.MULTILINE)
    # yosys joins module names with dots and escapes them; other tools stumble over that
    plain = {module: re.sub(r"\W+", "__", module) for module in modules}
    return re.sub(r"\\(\S+) ", lambda m: f"{plain.get(m[1], m[0].rstrip())} ", text)


def describe(
    config: SoftmaxConfig,
    *,
    unit: str,
    preset: str | None,
    name: str,
    rom: str,
    target: str,
    text: str,
) -> dict[str, Any]:
    """The sidecar's content."""
    kind = unit_kind(unit)
    formats = kind.formats(config)
    ports = _ports(text, name)
    port_streams = streams(ports)
    return {
        "unit": unit,
        "top": name,
        "preset": preset,
        "target": target,
        "rom": rom,
        "function": config.function,
        "datapath": config.datapath if kind.has_datapath else None,
        "lanes": config.lanes,
        "max_length": config.max_length,
        "range": config.range,
        "scale": config.scale,
        "formats": {of: str(held) for of, held in formats.items()},
        "container_bits": {of: held.container for of, held in formats.items()},
        "config": config.to_dict(),
        "id_width": config.id_width,
        "tuser_bits": {stream["name"]: stream["user"] for stream in port_streams},
        "streams": port_streams,
        "seed": "seed" in ports,
        **kind.more(config),
        "latency": asdict(kind.latency(config)),
        **kind.bounds(config),
        "ports": ports,
        "files": [f"{name}.v"],
        "verilog_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "config_sha256": config.sha256(unit),
        "version": version("softmaxfx"),
    }


def _ports(text: str, name: str) -> dict[str, dict[str, Any]]:
    """Direction and width of every port of the top module, read back from the Verilog."""
    body = text[text.index(f"module {name}(") :]
    body = body[: body.index("endmodule")]
    return {
        port: {"direction": direction, "width": int(high or 0) + 1}
        for direction, high, port in re.findall(
            r"^ {2}(input|output) (?:\[(\d+):0\] )?(\w+);", body, re.MULTILINE
        )
    }
