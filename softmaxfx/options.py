"""The options that choose units and configurations, shared by the commands."""

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from .decorators import options
from .fpga.export import TARGETS
from .golden import PRESETS, ConfigError, SoftmaxConfig, preset
from .golden.config import DATAPATHS, field_names
from .golden.errors import require
from .golden.units.registry import unit_record
from .study.toml_file import read_toml

unit_argument = click.argument("unit", default="softmax", metavar="[UNIT]")
units_argument = click.argument("unit", required=False, metavar="[UNIT]")
target_option = click.option(
    "--target", default="generic", show_default=True, metavar="T",
    help=f"Verilog for every device, or with a device's primitives: {', '.join(TARGETS)}.",
)  # fmt: skip
seeds_option = click.option(
    "--seeds", type=click.IntRange(min=1), default=5, show_default=True, metavar="N",
    help="Place and route with seeds 1 to N.",
)  # fmt: skip
worker_options = options(
    click.option(
        "--workers", type=click.IntRange(min=1), metavar="N",
        help="Processes; one a processor unless given.",
    ),
    click.option(
        "--cluster", metavar="ADDRESS|FILE.toml",
        help="Workers elsewhere: of the Dask scheduler at tcp://HOST:PORT, or of the queue that "
        "a file names (SLURM, LSF, PBS, SGE).",
    ),
)  # fmt: skip
"""What :func:`.clusters.cluster_of` takes."""
config_options = options(
    click.option(
        "--preset", "presets", multiple=True, metavar="P",
        help=f"A named configuration: {', '.join(PRESETS)}. Can be given more than once.",
    ),
    click.option(
        "--config", "file", type=click.Path(path_type=Path), metavar="F.toml",
        help="A configuration file: a TOML table of fields.",
    ),
    click.option(
        "--datapath", "datapaths", multiple=True, metavar="D",
        help=f"Datapath: {' or '.join(DATAPATHS)}. Can be given more than once.",
    ),
    click.option(
        "--set", "fields", multiple=True, metavar="FIELD=VALUE",
        help="Set one field, as in --set 'output=UQ(0, 12)' or --set mantissa_bits=16.",
    ),
    click.option("--lanes", type=int, metavar="L", help="Elements per beat."),
    click.option("--max-length", type=int, metavar="N", help="Longest row, in elements."),
)  # fmt: skip
"""The options that :func:`chosen_configs` reads."""

COMPARED: dict[str, Any] = {"default": ("base", "int8"), "default_datapaths": DATAPATHS}
"""What :func:`chosen_configs` chooses without options, where configurations are compared."""

Configs = list[tuple[str | None, SoftmaxConfig]]
"""Configurations, each with its preset's name where it is one."""


def require_packages(command: str, *names: str, extra: str) -> None:
    """Raise :class:`ConfigError` unless packages of some extras are installed."""
    missing = [name for name in names if find_spec(name) is None]
    require(not missing, f"{command} needs {', '.join(missing)}: pip install 'softmaxfx[{extra}]'")


def is_given(context: click.Context, option: str) -> bool:
    """Whether a user has given an option, be it with its default."""
    return context.get_parameter_source(option) is not ParameterSource.DEFAULT


def configs_of(units: Sequence[str], **chosen: Any) -> Configs:
    """The configurations that :func:`chosen_configs` chooses, for some units.

    Raises:
        ConfigError: as there; an unknown unit, or an option that has no effect on the units.
    """
    records = [unit_record(unit) for unit in units]
    require(
        not chosen["datapaths"] or any("datapath" in record.fields for record in records),
        f"--datapath must not be given for {', '.join(units)}, which has one only",
    )
    return chosen_configs(**chosen)


def chosen_configs(
    presets: tuple[str, ...],
    file: Path | None,
    datapaths: tuple[str, ...],
    fields: tuple[str, ...],
    lanes: int | None,
    max_length: int | None,
    default: tuple[str, ...],
    default_datapaths: tuple[str, ...] = (),
) -> Configs:
    """The configurations that the options name.

    Args:
        default: presets where none is named; ``default_datapaths``: their datapaths where neither
            preset nor datapath is.

    Raises:
        ConfigError: a preset, file or field that is not understood, or a rule that is broken.
    """
    if presets and file is not None:
        raise ConfigError("--preset and --config must not be given together")
    numbers = {"--lanes": lanes, "--max-length": max_length}
    changes = _once(
        [("--set", *_field(text)) for text in fields]
        + [(o, o[2:].replace("-", "_"), value) for o, value in numbers.items() if value is not None]
        + [("--datapath", "datapath", datapath) for datapath in datapaths[:1]]
    )
    if not datapaths and not presets and file is None and "datapath" not in changes:
        datapaths = default_datapaths
    variants = [{**changes, "datapath": datapath} for datapath in datapaths] or [changes]
    if file is not None:
        read = read_toml("--config", file)
        return [(None, SoftmaxConfig.from_dict({**read, **variant})) for variant in variants]
    return [
        (name, SoftmaxConfig.from_dict(variant, base=preset(name)))
        for name in presets or default
        for variant in variants
    ]


def _once(given: list[tuple[str, str, Any]]) -> dict[str, Any]:
    """Fields by name from (option, field, value), each given once.

    Raises:
        ConfigError: a field that two options set: which of them counts is for the user to say.
    """
    for field, count in Counter(field for _, field, _ in given).items():
        options = dict.fromkeys(option for option, name, _ in given if name == field)
        require(
            count == 1,
            f"{field} must be set once, not {count} times (by {' and '.join(options)})",
        )
    return {field: value for _, field, value in given}


_NUMBER = re.compile(r"[+-]?(\d+\.|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
"""Numbers as every other tool reads them, and TOML does not."""


def _field(text: str) -> tuple[str, Any]:
    """A ``field=value`` option; the value is TOML or a number where it can be, else a string."""
    name, separator, value = (part.strip() for part in text.partition("="))
    if not separator or name not in field_names():
        raise ConfigError(
            f"--set must be FIELD=VALUE with a field of {', '.join(field_names())}, not {text!r}"
        )
    # no value has more than a line or a number sign: what follows one would be dropped by TOML
    require(
        len(value.splitlines()) == 1 and "#" not in value,
        f"--set must be FIELD=VALUE with one value and nothing behind it, not {text!r}",
    )
    if _NUMBER.fullmatch(value):
        return name, float(value)
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return name, value
