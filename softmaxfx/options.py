"""The options that choose a configuration, shared by the commands."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .golden import PRESETS, ConfigError, SoftmaxConfig, preset
from .golden.config import DATAPATHS, field_names


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that :func:`chosen_configs` reads to a command."""
    options = (
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
    for option in reversed(options):
        command = option(command)
    return command


def out_option(default: str, what: str) -> Callable[..., Any]:
    """The option that names the directory a command writes to."""
    return click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        metavar="DIR",
        help=what,
    )


def chosen_configs(
    presets: tuple[str, ...],
    file: Path | None,
    datapaths: tuple[str, ...],
    fields: tuple[str, ...],
    lanes: int | None,
    max_length: int | None,
    default: tuple[str, ...],
    default_datapaths: tuple[str, ...] = (),
) -> list[tuple[str | None, SoftmaxConfig]]:
    """The configurations that the options name, each with its preset's name where it is one.

    Args:
        default: presets where none is named; ``default_datapaths``: their datapaths where neither
            preset nor datapath is.

    Raises:
        ConfigError: a preset, file or field that is not understood, or a rule that is broken.
    """
    if presets and file is not None:
        raise ConfigError("--preset and --config must not be given together")
    changes = dict(_field(text) for text in fields)
    named = (("lanes", lanes), ("max_length", max_length))
    changes.update({name: value for name, value in named if value is not None})
    if not datapaths and not presets and file is None and "datapath" not in changes:
        datapaths = default_datapaths
    variants = [{**changes, "datapath": datapath} for datapath in datapaths] or [changes]
    if file is not None:
        read = _read(file)
        return [(None, SoftmaxConfig.from_dict({**read, **variant})) for variant in variants]
    return [
        (name, SoftmaxConfig.from_dict(variant, base=preset(name)))
        for name in presets or default
        for variant in variants
    ]


def _field(text: str) -> tuple[str, Any]:
    """A ``field=value`` option; the value is TOML where it can be, else a string."""
    name, separator, value = text.partition("=")
    name = name.strip()
    if not separator or name not in field_names():
        raise ConfigError(
            f"--set must be FIELD=VALUE with a field of {', '.join(field_names())}, not {text!r}"
        )
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value.strip()


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"--config must be a readable TOML file, not {file}: {error}") from None
