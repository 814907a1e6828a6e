"""Where a command writes: options that are checked before the work, and what lies in its folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .files import require_file, require_folder
from .golden.errors import require


class OutFolder(click.ParamType):
    """A directory that can be written to, made where it is missing."""

    name = "directory"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        require_folder(_option(param), Path(value))
        return Path(value)


class OutFile(click.ParamType):
    """A file that can be written."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        require_file(_option(param), Path(value))
        return Path(value)


def _option(param: click.Parameter | None) -> str:
    return param.opts[0] if param is not None else "the path"


def out_option(default: str, what: str) -> Callable[..., Any]:
    """The option that names the directory a command writes to."""
    return click.option(
        "--out", type=OutFolder(), default=default, show_default=True, metavar="DIR", help=what
    )


json_option = click.option(
    "--json",
    "json_file",
    type=OutFile(),
    metavar="FILE",
    help="Write the results there as well.",
)


def report_files(out: Path, *names: str, beside: Path | None = None) -> list[Path]:
    """The files of a report in a directory, checked.

    Args:
        beside: a file that is written too.

    Raises:
        ConfigError: a directory of such a name, or ``beside`` is the directory, or one above.
    """
    files = [out / name for name in names]
    for file in files:
        require_file("the report", file)
    if beside is not None:
        resolved = out.resolve()
        require(
            beside.resolve() not in (resolved, *resolved.parents),
            f"--json must be a writable file, not {beside}, which is to be a directory of --out",
        )
    return files
