"""A configuration as a person writes it: a short TOML file, and the command that exports it."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from ....golden.config import SoftmaxConfig, field_names
from ....golden.errors import ConfigError
from ....golden.formats import parse_format

SHOWN = ("input", "output", "lanes", "max_length", "range", "clip", "datapath")
"""Fields that are always written."""

_DERIVED = tuple(SoftmaxConfig().derived)


def changed_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fewest fields that differ from the defaults and describe the same configuration.

    Args:
        fields: of :meth:`SoftmaxConfig.to_dict`, which are all set.

    Raises:
        ConfigError: fields that are no configuration.
    """
    config = SoftmaxConfig.from_dict(dict(fields))
    all_fields, defaults = config.to_dict(), SoftmaxConfig().to_dict()
    changed = {
        name: all_fields[name]
        for name in field_names()
        if name not in _DERIVED and all_fields[name] != defaults[name]
    }
    if _described(changed) == all_fields:
        return changed
    by_hand = {name: all_fields[name] for name in _DERIVED}
    for name in _DERIVED:  # what follows from the others need not be given
        fewer = {other: value for other, value in by_hand.items() if other != name}
        if _described({**changed, **fewer}) == all_fields:
            by_hand = fewer
    return {**changed, **by_hand}


def _described(fields: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return SoftmaxConfig.from_dict(fields).to_dict()
    except ConfigError:
        return None


def toml_lines(fields: Mapping[str, Any], changed: Mapping[str, Any]) -> list[str]:
    """The lines of a configuration file: what always matters, and what was changed."""
    return [
        f"{name} = {json.dumps(fields[name])}"
        for name in field_names()
        if name in changed or name in SHOWN
    ]


def command_words(
    command: str, changed: Mapping[str, Any], options: tuple[str, ...] = ()
) -> list[str]:
    """A command with the configuration in its options, each an element of the list.

    Args:
        command: as ``export``. options: of the command itself, after its name.
    """
    words = ["softmaxfx", command, *options, "--preset base"]
    for name, option in (
        ("datapath", "--datapath"), ("lanes", "--lanes"), ("max_length", "--max-length")
    ):  # fmt: skip
        if name in changed:
            words.append(f"{option} {changed[name]}")
    for name, value in changed.items():
        if name not in ("datapath", "lanes", "max_length"):
            text = value if isinstance(value, str) else json.dumps(value)
            words.append(f"--set {shlex.quote(f'{name}={text}')}")
    return words


def label(fields: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """A configuration in a line: what distinguishes it from others of a sweep."""
    words = [f"{fields.get('input', '?')} → {fields.get('output', '?')}"]
    if "range" in fields:
        difference = fields.get("clip") == "difference"
        place = f"max - x at {2 * fields['range']:g}" if difference else f"±{fields['range']:g}"
        words.append(f"clip {place}")
    if "datapath" in fields:
        words.append(str(fields["datapath"]))
    words += [
        f"{name.removesuffix('_bits')} {value}"
        for name, value in changed.items()
        if name not in (*SHOWN, "loss")
    ]
    return ", ".join(words)


def width_of(fields: Mapping[str, Any], name: str) -> int | None:
    """The bits of a field: of a format all of them, of a width itself; ``None`` for others."""
    value = fields.get(name)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    try:
        return parse_format(value).width
    except (ValueError, TypeError, AttributeError):
        return None
