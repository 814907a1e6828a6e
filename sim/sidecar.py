"""What the simulation knows of a unit: its Verilog file and the sidecar beside it."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.errors import ConfigError, require
from ..golden.formats import Format
from ..golden.types import Integers
from ..golden.units.registry import unit_record

ROUNDING_SEED = 0x9E3779B9
"""What a unit's ``seed`` port is tied to, where it has one."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream port of a unit. A width is 0 where the port has no such signal.

    Attributes:
        name: prefix of its signals.
        inward: beats go into the unit.
        lanes: elements of a beat.
        data, keep, user, ident, dest: bits of tdata, tkeep, tuser, tid, tdest.
        last: it has tlast; without, every beat is a row.
    """

    name: str
    inward: bool
    lanes: int
    data: int
    keep: int
    user: int
    ident: int
    last: bool
    dest: int = 0

    @classmethod
    def from_dict(cls, fields: dict[str, Any], lanes: int) -> "Stream":
        """The stream that a sidecar describes; without tkeep, a beat is one element."""
        return cls(
            name=fields["name"],
            inward=fields["direction"] == "sink",
            lanes=lanes if fields["keep"] else 1,
            data=fields["bits"],
            keep=fields["keep"],
            user=fields["user"],
            ident=fields["id"],
            dest=fields["dest"],
            last=fields["last"],
        )

    @property
    def octets(self) -> int:
        """Bytes of an element's container."""
        return self.data // self.lanes // 8

    @property
    def signals(self) -> dict[str, int]:
        """Width of every signal that travels with a beat, the lowest bits of a word first."""
        widths = {
            "tdata": self.data,
            "tkeep": self.keep,
            "tuser": self.user,
            "tid": self.ident,
            "tdest": self.dest,
            "tlast": int(self.last),
        }
        return {name: width for name, width in widths.items() if width}

    @property
    def bits(self) -> int:
        """Bits of all signals."""
        return sum(self.signals.values())


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit under test.

    Attributes:
        verilog: its Verilog file.
        top: its top module.
        name: which unit it is, such as ``"softmax"``.
        config: the configuration it claims to implement.
        streams: its stream ports.
        description: the whole sidecar.
        models: files of models of the primitives that it instantiates.
        seed: what its ``seed`` port is tied to; ``None`` where it has none.
    """

    verilog: Path
    top: str
    name: str
    config: SoftmaxConfig
    streams: tuple[Stream, ...]
    description: dict[str, Any]
    seed: int | None = None
    models: tuple[Path, ...] = ()

    @property
    def lanes(self) -> int:
        return self.config.lanes

    @property
    def two_passes(self) -> bool:
        """It takes long rows twice."""
        return self.config.two_passes and "buffer_length" in unit_record(self.name).fields

    def frames_of(self, lengths: Integers) -> Integers:
        """Frames that rows of some lengths are sent in, each."""
        return 1 + (self.two_passes & (lengths > self.config.held_length)).astype(np.int64)

    @property
    def formats(self) -> dict[str, Format]:
        """Format of the elements of every stream.

        Raises:
            ConfigError: a unit that is not known.
        """
        return unit_record(self.name).stream_formats(self.config)

    @property
    def inputs(self) -> tuple[Stream, ...]:
        """The streams into the unit."""
        return tuple(stream for stream in self.streams if stream.inward)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        """The streams out of the unit."""
        return tuple(stream for stream in self.streams if not stream.inward)

    def stream(self, name: str) -> Stream:
        """The stream of a name."""
        return next(stream for stream in self.streams if stream.name == name)


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
        config = SoftmaxConfig.from_dict(description["config"])
        unit = Unit(
            verilog=verilog,
            top=description["top"],
            name=description["unit"],
            config=config,
            streams=tuple(
                Stream.from_dict(fields, config.lanes) for fields in description["streams"]
            ),
            description=description,
            seed=ROUNDING_SEED if description["seed"] else None,
            models=tuple(verilog.parent / file for file in description["simulation_files"]),
        )
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"{sidecar} must be a unit's sidecar: {error!r}") from None
    for file in unit.models:
        require(file.is_file(), f"{sidecar} names the models {file}, which must lie beside it")
    digest = hashlib.sha256(verilog.read_bytes()).hexdigest()
    require(
        modified or digest == description.get("verilog_sha256"),
        f"{verilog} must have the SHA-256 its sidecar names; it was changed, or belongs to another "
        f"(--modified tests it all the same)",
    )
    return unit
