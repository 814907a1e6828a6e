"""English text to read: Debian's frequently asked questions, or Python's own documentation."""

import gzip
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from pydoc_data.topics import topics

from ...golden.errors import ConfigError, require
from .packages import FAQ

_MEMBER = "./usr/share/doc/debian/FAQ/debian-faq.en.txt.gz"
_BEGINS = "Chapter 1. Definitions and overview"
"""The first line after the table of contents, and one line of that."""

LEAST_WORDS = 12
"""Of a paragraph of prose."""


@dataclass(frozen=True)
class Text:
    """Paragraphs of prose. Attributes: name: whose they are. paragraphs: a line each."""

    name: str
    paragraphs: tuple[str, ...]


def text(folder: Path) -> Text:
    """The FAQ where its package has been fetched, else Python's documentation.

    Raises:
        ConfigError: the package is another one.
    """
    if FAQ.file(folder) is None:
        return Text("Python's documentation", tuple(_paragraphs("\n\n".join(topics.values()))))
    content = _archived(FAQ.checked(folder).read_bytes(), _MEMBER)
    whole = gzip.decompress(content).decode("utf-8")
    return Text(FAQ.label, tuple(_paragraphs(whole.rpartition(_BEGINS)[2])))


def _paragraphs(whole: str) -> Iterator[str]:
    """What stands between empty lines and reads as prose: sentences, and few signs."""
    for block in re.split(r"\n\s*\n", whole):
        line = " ".join(block.split())
        words = re.findall(r"[A-Za-z']+", line)
        signs = len(re.findall(r"[^\w\s.,;:'\"()-]", line))
        if len(words) >= LEAST_WORDS and line[0].isupper() and line[-1] in ".!?" and signs <= 2:
            yield line


def _archived(package: bytes, name: str) -> bytes:
    """A file of a Debian package: an archive of ``ar``, with an archive of ``tar`` in it."""
    require(package[:8] == b"!<arch>\n", "a Debian package must start with b'!<arch>\\n'")
    place = 8
    while place < len(package):
        header = package[place : place + 60]
        size = int(header[48:58])
        if header.startswith(b"data.tar"):
            data = io.BytesIO(package[place + 60 : place + 60 + size])
            with tarfile.open(fileobj=data) as tar:
                found = tar.extractfile(name)
                assert found is not None, "a member of that name is a file"
                return found.read()
        place += 60 + size + size % 2
    raise ConfigError(f"a Debian package must have {name} in its data")
