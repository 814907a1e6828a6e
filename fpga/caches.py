"""Where WebAssembly keeps what it has compiled, also for a user without a home."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def keep_compiled() -> None:
    """Give yosys and nextpnr a folder for caches until this process ends, where the user has none.

    They fail where they cannot write what they compiled.
    """
    if not _is_writable():
        folder = tempfile.mkdtemp(prefix="softmaxfx-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["XDG_CACHE_HOME"] = folder


def _is_writable() -> bool:
    """Whether the user's folder for caches is there, or can be made, and written to."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except (OSError, RuntimeError):  # no folder, or no home
        return False
