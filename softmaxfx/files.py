"""Files that a command writes: checked before the work, and written whole or not at all."""

import os
import tempfile
from pathlib import Path

from .golden.errors import ConfigError, require


def require_folder(name: str, folder: Path) -> None:
    """Check that files can be written to a folder, which need not exist yet; nothing is created.

    Args:
        name: of the option or argument, for the sentence of an error.

    Raises:
        ConfigError: a file lies in the way, or the folder or its nearest parent is read-only.
    """
    require(str(folder) != "", f"{name} must name a directory, not ''")
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    require(
        existing.is_dir() and os.access(existing, os.W_OK | os.X_OK),
        f"{name} must be a writable directory, not {folder}: "
        f"{existing} is {'read-only' if existing.is_dir() else 'no directory'}",
    )


def require_file(name: str, file: Path) -> None:
    """Check that a file can be written, which need not exist yet; nothing is created.

    Args:
        name: of the option or argument, for the sentence of an error.

    Raises:
        ConfigError: a directory of that name, or a folder that cannot be written to.
    """
    require(
        not file.is_dir(), f"{name} must be a writable file, not {file}, which is a directory"
    )
    try:
        require_folder(name, file.parent)
    except ConfigError as error:
        raise ConfigError(f"{name} must be a writable file, not {file} ({error})") from None


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file, and its folder where there is none; what was there before stays until the end.

    Text is UTF-8, its line ends as they are.

    Raises:
        ConfigError: it cannot be written, for whatever reason the system gives.
    """
    octets = content.encode() if isinstance(content, str) else content
    scratch = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:40]}.")
        with os.fdopen(handle, "wb") as stream:
            stream.write(octets)
        os.chmod(scratch, 0o666 & ~_umask())
        os.replace(scratch, file)
    except OSError as error:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise ConfigError(f"{file} must be a writable file: {reason}") from None


def _umask() -> int:
    """The permissions that new files do not get; they can only be read by setting them."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
