"""TOML files of a user's own."""

import tomllib
from pathlib import Path
from typing import Any

from ..golden.errors import ConfigError


def read_toml(name: str, file: Path) -> dict[str, Any]:
    """The table that a file holds; a byte order mark before it is no part of it.

    Args:
        name: of the option or argument, for the sentence of an error.

    Raises:
        ConfigError: a file that cannot be read, or that is no TOML.
    """
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is no UTF-8 text"
    except RecursionError:
        reason = "its values are nested too deeply"
    except ValueError as error:  # no TOML, or a number of some thousand digits
        reason = " ".join(str(error).split())
    raise ConfigError(f"{name} must be a readable TOML file, not {file}: {reason}")
