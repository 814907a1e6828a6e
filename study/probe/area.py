"""What the presets cost on a device: figures that ``softmaxfx synth --json`` wrote."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...golden.errors import ConfigError, require


@dataclass(frozen=True, slots=True)
class Area:
    """A synthesised softmax unit. ``fmax`` in MHz, the median; None where nothing was placed."""

    target: str
    lanes: int
    datapath: str
    lut: int
    fmax: float | None

    @property
    def text(self) -> str:
        """In a cell."""
        speed = "not placed" if self.fmax is None else f"{self.fmax:.0f} MHz"
        lanes = f"{self.lanes} lane{'s' * (self.lanes != 1)}"
        return f"{self.lut:,} LUT, {speed} ({self.target}, {lanes}, {self.datapath})"


def areas(file: Path) -> dict[str, Area]:
    """The smallest design of each preset that a file tells of.

    Raises:
        ConfigError: a file that ``softmaxfx synth`` did not write.
    """
    try:
        read = json.loads(file.read_bytes())
        found = [(one["preset"], _area(one)) for one in read if one["unit"] == "softmax"]
    except OSError as error:
        raise ConfigError(
            f"--synth must be a readable file, not {file}: {error.strerror}"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ConfigError(
            f"--synth must be what softmaxfx synth --json wrote, unlike {file}"
        ) from None
    named = [(name, area) for name, area in found if name is not None]
    require(bool(named), f"--synth must tell of a softmax unit of a preset, and {file} does not")
    least: dict[str, Area] = {}
    for name, area in sorted(named, key=lambda one: one[1].lut):
        least.setdefault(name, area)
    return least


def _area(fields: Mapping[str, Any]) -> Area:
    fmax = fields["fmax_mhz"]
    return Area(
        str(fields["target"]),
        int(fields["lanes"]),
        str(fields["datapath"]),
        int(fields["lut"]),
        float(fmax["median"]) if fmax else None,
    )
