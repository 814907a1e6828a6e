"""Which code a result was made by: a hash of the files that it depends on."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def code_sha256(*places: str) -> str:
    """A hash of every file of some rooms and modules, by their names within the package.

    A room is all that lies in it, rooms inside it included, whatever the type of the file.
    """
    digest = hashlib.sha256()
    for place in places:
        for name, file in files_of(place):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{place} {name} {content}\n".encode())
    return digest.hexdigest()


def files_of(place: str) -> Iterator[tuple[str, Path]]:
    """Every file of a room or module, with its name within the room; in a fixed order."""
    spec = find_spec(f"softmaxfx.{place}")
    if spec is None:
        raise ModuleNotFoundError(f"softmaxfx has no {place}")
    if not spec.submodule_search_locations:
        yield "", Path(str(spec.origin))
        return
    (folder,) = map(Path, spec.submodule_search_locations)
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            yield file.relative_to(folder).as_posix(), file
