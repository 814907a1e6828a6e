"""Results that are computed once: a folder for everything that a result depends on."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def once(cache: Path, recipe: object, fill: Callable[[Path], None]) -> Path:
    """The folder of a result; it appears in ``cache`` complete, or not at all.

    Args:
        recipe: all that the result depends on, as JSON: inputs, options, exact tool versions.
        fill: computes the result into the folder it is given. Where it raises, that folder is
            left for its logs, under a name that is never taken for a result.
    """
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:16]
    home, scratch = cache / key, cache / f"{key}.{os.getpid()}"
    if home.exists():
        return home
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    fill(scratch)
    try:
        scratch.rename(home)
    except OSError:  # another process has computed the same meanwhile
        shutil.rmtree(scratch)
    return home
