"""Folders that processes share: results that are computed once, and runs that cannot meet.

Locks are files that lie beside what they guard; the system frees those of a process that dies.
"""

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..golden.errors import ConfigError


def once(
    cache: Path, recipe: object, fill: Callable[[Path], None], *, holds: tuple[str, ...] = ()
) -> Path:
    """The folder of a result; it appears in ``cache`` complete, or not at all.

    While one process or thread computes a result, others that want the same wait for it.

    Args:
        recipe: all that the result depends on, as JSON: inputs, options, exact tool versions.
        fill: computes the result into the folder it is given. Where it raises, that folder is
            left for its logs, under a name that is never taken for a result.
        holds: files that a result has; a folder without them is computed again.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
    home, scratch = cache / key, cache / f"{key}.part"
    if _complete(home, holds):
        return home
    lock = _lock(cache / f"{key}.lock")
    with lock:
        if not _complete(home, holds):
            for remains in (home, scratch):
                shutil.rmtree(remains, ignore_errors=True)
            scratch.mkdir()
            fill(scratch)
            scratch.rename(home)
        # those who wait for this lock find the result, and so do those who would make a new one
        Path(lock.lock_file).unlink(missing_ok=True)
    return home


def _complete(home: Path, holds: tuple[str, ...]) -> bool:
    return home.is_dir() and all((home / name).is_file() for name in holds)


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """A working folder that nobody else uses during the block: ``folder`` where it is free, or
    ``folder-2``, ``folder-3`` and so on. It stays afterwards, for its logs.

    Raises:
        ConfigError: the folder around it cannot be written to.
    """
    for number in itertools.count(1):
        name = folder.name if number == 1 else f"{folder.name}-{number}"
        lock = _lock(folder.with_name(f"{name}.lock"))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        try:
            yield folder.with_name(name)
        finally:
            lock.release()
        return


def _lock(file: Path) -> FileLock:
    """A lock of a file, in a folder that exists afterwards."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    except OSError as error:
        raise ConfigError(f"{file.parent} must be a writable directory: {error.strerror}") from None
    return FileLock(file)
