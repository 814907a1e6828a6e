"""What a sidecar tells a machine of an exported unit."""

import re
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from ..golden.config import SoftmaxConfig
from ..golden.formats import Format
from ..golden.units.registry import unit_record
from .units import HARDWARE, streams


def describe(
    config: SoftmaxConfig,
    *,
    unit: str,
    preset: str | None,
    name: str,
    rom: str,
    target: str,
    init: str,
    command: str,
    models: list[str],
    body: str,
) -> dict[str, Any]:
    """The sidecar's content, but for the hash of the file.

    Args:
        command: what makes the file again. models: files of models of the target's primitives.
        body: Verilog of the unit.
    """
    record, hardware = unit_record(unit), HARDWARE[unit]
    formats = record.formats(config)
    ports = _ports(body, name)
    port_streams = streams(ports)
    return {
        "unit": unit,
        "top": name,
        "preset": preset,
        "target": target,
        "rom": rom,
        "init": init,
        "function": config.function,
        "datapath": config.datapath if "datapath" in record.fields else None,
        "lanes": config.lanes,
        "max_length": config.max_length,
        "range": config.range,
        "scale": config.scale,
        "formats": {of: str(fmt) for of, fmt in formats.items()},
        "format_fields": {of: _in_numbers(fmt) for of, fmt in formats.items()},
        "container_bits": {of: fmt.container for of, fmt in formats.items()},
        "spare_bits": {
            "in": "the bits of a container above the format's width are ignored",
            "out": "they repeat the sign of a signed format, and are 0 of an unsigned one",
        },
        "config": config.to_dict(),
        "id_width": config.id_width,
        "exponent_bits": config.exponent_bits,
        "tuser_bits": {stream["name"]: stream["user"] for stream in port_streams},
        "streams": [
            stream | {"tuser": of.user_text(config), "tdest": of.dest}
            for stream in port_streams
            for of in (record.stream(stream["name"]),)
        ],
        "seed": "seed" in ports,
        **hardware.more(config),
        "reset": {"port": "aresetn", "active": "low", "synchronous": True, "cycles": 1},
        "latency": {
            **asdict(hardware.latency(config)),
            "from": "the edge that accepts a row's last beat, on the last input to have one",
            "to": "the edge at which m_axis offers the row's first beat, the unit idle before",
        },
        "blocked": asdict(hardware.capacity(config)),
        "error_row": {
            "beats": f"those of the row that came in, at most {config.max_beats}",
            "elements": f"{config.lanes} a beat, all present (tkeep all 1) and 0",
            "most_beats": config.max_beats,
            "elements_per_beat": config.lanes,
        },
        **record.bounds(config),
        "ports": ports,
        "files": [f"{name}.v"],
        "simulation_files": models,
        "command": command,
        "config_sha256": record.sha256(config),
        "version": version("softmaxfx"),
    }


def _in_numbers(fmt: Format) -> dict[str, Any]:
    """A format without its spelling: value = code * lsb, two's complement where it is signed."""
    return {
        "signed": fmt.signed,
        "width": fmt.width,
        "integer_bits": fmt.i,
        "fraction_bits": fmt.f,
        "lsb": fmt.lsb,
        "min_code": fmt.min_code,
        "max_code": fmt.max_code,
    }


def _ports(body: str, name: str) -> dict[str, dict[str, Any]]:
    """Direction and width of every port of the top module, read back from the Verilog."""
    top = body[body.index(f"module {name}(") :]
    top = top[: top.index("endmodule")]
    return {
        port: {"direction": direction, "width": int(high or 0) + 1}
        for direction, high, port in re.findall(
            r"^ {2}(input|output) (?:\[(\d+):0\] )?(\w+);", top, re.MULTILINE
        )
    }
