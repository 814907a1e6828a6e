"""The environment of every process that this package starts.

A variable that somebody has set for other work must not change ours: ``WAVES`` and ``COCOTB_*`` are
read by cocotb, ``MAKEFLAGS`` by make, ``CPATH`` by g++, ``PYTHONHOME`` by every Python. So nothing
reaches a tool but what is listed here.
"""

import os

KEPT = (
    "PATH",
    "HOME", "USER", "LOGNAME",  # whose files and caches
    "TMPDIR",
    "XDG_CACHE_HOME", "YOWASP_CACHE_DIR",  # where WebAssembly keeps what it has compiled
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",  # a compiler or a Python outside the system's folders
    "SDKROOT", "DEVELOPER_DIR",  # Apple's compiler
    "PYTHONPATH",  # where this package may have been found
)  # fmt: skip
"""What a tool needs to be found, and to find its own files."""

FIXED = {
    "LC_ALL": "C",  # messages in one language: reasons of failures are read from them
    "PYTHONUTF8": "1",  # what the C locale would take from Python
}


def own_environment(**more: str) -> dict[str, str]:
    """The environment of a process: what is kept of ours, what is fixed, and ``more``."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, **FIXED, **more}
