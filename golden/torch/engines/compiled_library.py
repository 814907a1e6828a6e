"""The compiled kernels: built once by g++, and kept for the next process.

What is built is named by its sources, its compiler and the kind of processor, so that another
version never takes it for its own.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock

from ...errors import ConfigError, require
from .compiled_plan import Tally, _Plan
from .compiled_vector import _Vector

SOURCES = Path(__file__).parent.parent / "native"
COMMON = (
    "-std=c++17", "-O3", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
    "-Wno-maybe-uninitialized",
)  # fmt: skip
AVX2 = ("-mavx2", "-mfma", "-mbmi2", "-mlzcnt")
AVX512 = (
    *AVX2,
    "-mavx512f",
    "-mavx512bw",
    "-mavx512dq",
    "-mavx512vl",
    "-mavx512vbmi",
    "-mavx512vnni",
)
"""Instructions that a file may use; which of them are called is decided where it runs."""
UNITS: dict[str, tuple[str, ...]] = {
    "entry.cpp": ("-fopenmp",),
    "general.cpp": ("-DGENERAL=general",),
}
X86_UNITS: dict[str, tuple[str, ...]] = {
    **UNITS,
    "general.cpp avx2": ("-DGENERAL=general_avx2", *AVX2),
    "general.cpp avx512": ("-DGENERAL=general_avx512", *AVX512),
    "avx2.cpp": AVX2,
    "avx512_softmax.cpp": AVX512,
    "avx512_bytes.cpp": AVX512,
    "avx512_loss.cpp": AVX512,
    "avx512_gradient.cpp": AVX512,
}
"""Files to compile, each with what follows a blank in its name, and their options."""


@cache
def library() -> ctypes.CDLL:
    """The kernels, built first where they are not kept.

    Raises:
        ConfigError: no g++, or one that does not compile them.
    """
    compiler = shutil.which("g++")
    require(
        compiler is not None,
        "the compiled engine needs g++: install the system package g++, or use another engine",
    )
    assert compiler is not None
    loaded = ctypes.CDLL(str(_built(compiler)))
    sizes = (ctypes.c_int64 * 3)()
    loaded.softmaxfx_sizes(sizes)
    assert list(sizes) == [ctypes.sizeof(kind) for kind in (_Plan, _Vector, Tally)]
    loaded.softmaxfx_isa.restype = ctypes.c_int64
    return loaded


def _built(compiler: str) -> Path:
    """Where the library lies."""
    folder = cache_folder()
    path = folder / f"kernels-{_version(compiler)}.so"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            _build(compiler, path)
    return path


def cache_folder() -> Path:
    """A folder of the user's that lasts, or else one of theirs in the system's folder of temporary
    files."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    own = Path(tempfile.gettempdir()) / f"softmaxfx-{os.getuid()}"
    for folder in (Path(home) / "softmaxfx", own):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        # what is loaded from here runs: nobody else may have put it there
        if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
            return folder
    raise ConfigError(
        f"the compiled engine needs a folder to be built in, and neither {home} nor {own} can be "
        f"written to"
    )


def _version(compiler: str) -> str:
    """A hash of everything that the library depends on."""
    printed = subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout
    parts = [printed, platform.machine().encode(), repr((COMMON, _units())).encode()]
    parts += [
        path.read_bytes() for path in sorted(SOURCES.iterdir()) if path.suffix in (".h", ".cpp")
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _units() -> dict[str, tuple[str, ...]]:
    return X86_UNITS if platform.machine() in ("x86_64", "AMD64") else UNITS


def _build(compiler: str, path: Path) -> None:
    """Compile the units side by side and link them; the library appears whole or not at all.

    Raises:
        ConfigError: the compiler fails; the sentence has the first line of what it says.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        folder = Path(name)
        objects = [folder / f"{unit.replace(' ', '-')}.o" for unit in _units()]
        _run([
            [compiler, *COMMON, *options, "-c", str(SOURCES / unit.split()[0]), "-o", str(target)]
            for (unit, options), target in zip(_units().items(), objects, strict=True)
        ])  # fmt: skip
        linked = folder / path.name
        _run([[compiler, "-shared", "-fopenmp", *map(str, objects), "-o", str(linked)]])
        linked.replace(path)


def _run(commands: list[list[str]]) -> None:
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in running:
        _, said = process.communicate()
        errors = [line for line in said.splitlines() if "error" in line] or said.splitlines()
        require(
            process.returncode == 0,
            f"the compiled engine needs a g++ that compiles its kernels, and it says: "
            f"{errors[0] if errors else process.returncode}",
        )
