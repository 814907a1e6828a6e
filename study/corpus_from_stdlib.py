"""Build the corpus: the documentation strings of the Python standard library as ranked words.

Numbering words by rank of frequency makes a small number a frequent word, which is what a softmax
that treats frequent classes apart from rare ones expects.
"""

import ast
import platform
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .ranked_words import ranked, words_of
from .recordings import CORPUS_FILE

# The corpus is a function of these sources, so any other version would make another corpus.
PYTHON_VERSION = "3.11.7"

MINIMUM_COUNT = 2
TEXT_END = "<end>"

# The language topics that help() shows live as strings in a table, not as docstrings.
_TOPICS = Path("pydoc_data/topics.py")

_SKIPPED_FOLDERS = {
    "__pycache__",
    "idlelib",
    "lib-dynload",
    "lib2to3",
    "site-packages",
    "test",
    "tests",
    "turtledemo",
}


def build() -> None:
    """Read the standard library of the running Python and write the corpus file."""
    running = f"{platform.python_implementation()} {platform.python_version()}"
    if running != f"CPython {PYTHON_VERSION}":
        raise ValueError(
            f"the corpus must be built by CPython {PYTHON_VERSION}, but this is {running}"
        )
    library = _words_of_library(Path(sysconfig.get_paths()["stdlib"]))
    tokens, words = ranked(library, MINIMUM_COUNT)
    vocabulary = np.frombuffer("\n".join(words).encode("utf-8"), np.uint8)
    np.savez_compressed(CORPUS_FILE, tokens=tokens.astype(np.uint16), words=vocabulary)


def _words_of_library(root: Path) -> list[str]:
    """The words of every documentation string below root, in the order of the paths."""
    words = []
    for path in _sources(root):
        tree = ast.parse(path.read_bytes())
        strings = _topics(tree) if path == root / _TOPICS else _docstrings(tree)
        for string in strings:
            words += [*words_of(string), TEXT_END]
    return words


def _sources(root: Path) -> list[Path]:
    """The library's modules without tests, demonstrations and files of one platform's build."""
    relative = (path.relative_to(root) for path in root.rglob("*.py"))
    kept = [
        path
        for path in relative
        if not _SKIPPED_FOLDERS.intersection(path.parts[:-1])
        and not path.parts[0].startswith(("_sysconfigdata", "config-"))
    ]
    # Sorted as text, so that the order does not depend on the path rules of a system.
    return [root / path for path in sorted(kept, key=Path.as_posix)]


def _docstrings(tree: ast.Module) -> Iterator[str]:
    """The docstrings of a module and of its classes and functions, outer ones first."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield docstring


def _topics(tree: ast.Module) -> Iterator[str]:
    """The values of the one dictionary that the topics module holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from (ast.literal_eval(value) for value in node.values)
