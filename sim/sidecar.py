"""What the simulation knows of a unit: its Verilog file and the sidecar beside it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..golden.config import SoftmaxConfig
from ..golden.errors import ConfigError, require


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit under test.

    Attributes:
        verilog: its Verilog file.
        top: its top module.
        config: the configuration it claims to implement.
        input_bytes, output_bytes: bytes of an element's container on the ports.
        input_user, output_user: bits of tuser.
        description: the whole sidecar.
    """

    verilog: Path
    top: str
    config: SoftmaxConfig
    input_bytes: int
    output_bytes: int
    input_user: int
    output_user: int
    description: dict[str, Any]

    @property
    def lanes(self) -> int:
        return self.config.lanes


def load_unit(verilog: Path, *, modified: bool = False) -> Unit:
    """Read the sidecar beside a Verilog file.

    Args:
        modified: the Verilog's hash may differ from the sidecar's.

    Raises:
        ConfigError: a file that is missing or unreadable, or a hash that differs.
    """
    sidecar = verilog.with_suffix(".json")
    for file in (verilog, sidecar):
        require(file.is_file(), f"verilog must be a file with its sidecar beside it: no {file}")
    try:
        description = json.loads(sidecar.read_text())
        unit = Unit(
            verilog=verilog,
            top=description["top"],
            config=SoftmaxConfig.from_dict(description["config"]),
            input_bytes=description["container_bits"]["input"] // 8,
            output_bytes=description["container_bits"]["output"] // 8,
            input_user=description["tuser_bits"]["s_axis"],
            output_user=description["tuser_bits"]["m_axis"],
            description=description,
        )
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"{sidecar} must be a unit's sidecar: {error!r}") from None
    digest = hashlib.sha256(verilog.read_bytes()).hexdigest()
    require(
        modified or digest == description.get("verilog_sha256"),
        f"{verilog} must have the SHA-256 its sidecar names; it was changed, or belongs to another "
        f"(--modified tests it all the same)",
    )
    return unit
