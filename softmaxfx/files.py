"""Files that a command writes: checked before the work, and written whole or not at all."""

import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .golden.errors import ConfigError, require


def require_folder(name: str, folder: Path) -> None:
    """Check that files can be written to a folder, which need not exist yet; nothing is created.

    Args:
        name: of the option or argument, for the sentence of an error.

    Raises:
        ConfigError: a file lies in the way, or the folder or its nearest parent is read-only.
    """
    require(str(folder) != "", f"{name} must name a directory, not ''")
    obstacle = _obstacle(folder)
    require(not obstacle, f"{name} must be a writable directory, not {folder}: {obstacle}")


def require_file(name: str, file: Path) -> None:
    """Check that a file can be written, which need not exist yet; nothing is created.

    Args:
        name: of the option or argument, for the sentence of an error.

    Raises:
        ConfigError: a directory of that name, or a folder that cannot be written to.
    """
    require(str(file) != "", f"{name} must name a file, not ''")
    if file.is_dir():
        obstacle = f"{file} is a directory"
    elif _is_stream(file):
        obstacle = "" if os.access(file, os.W_OK) else f"{file} is read-only"
    else:
        obstacle = _obstacle(_followed(file).parent)
    require(not obstacle, f"{name} must be a writable file, not {file}: {obstacle}")


def _obstacle(folder: Path) -> str:
    """Why files cannot be written to a folder; empty where they can."""
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not existing.is_dir():
        return f"{existing} is no directory"
    return "" if os.access(existing, os.W_OK | os.X_OK) else f"{existing} is read-only"


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file, and its folder where there is none; what was there before stays until the end.

    Text is UTF-8, its line ends as they are. A link stays one: the file that it names is written.
    What is no file on a disk, as ``/dev/stdout`` or a pipe, is written to and never replaced.

    Raises:
        ConfigError: it cannot be written, for whatever reason the system gives.
    """
    octets = content.encode() if isinstance(content, str) else content
    try:
        if _is_stream(file):
            file.write_bytes(octets)
        else:
            _replace(_followed(file), octets)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(f"{file} must be a writable file: {reason}") from None


def json_text(value: Any) -> str:
    """JSON that every reader takes: a number that is none, as NaN, is null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False) + "\n"


def markdown_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; a heading of several lines becomes one."""
    names = [name.replace("\n", " ") for name in heading]
    return [
        f"| {' | '.join(names)} |",
        "|---" * len(names) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def png(figure: Any) -> bytes:
    """A figure of matplotlib as a PNG, the same bytes each time."""
    rendered = io.BytesIO()
    figure.savefig(rendered, format="png", dpi=110, metadata={"Software": None})
    return rendered.getvalue()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(member) for member in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _replace(file: Path, octets: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:40]}.")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(octets)
        scratch.chmod(0o666 & ~_umask())
        scratch.replace(file)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def _is_stream(file: Path) -> bool:
    """A device or a pipe."""
    return file.exists() and not file.is_file()


def _followed(file: Path) -> Path:
    """The file that a link names, or the file itself."""
    return file.resolve() if file.is_symlink() else file


def _umask() -> int:
    """The permissions that new files do not get; they can only be read by setting them."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
