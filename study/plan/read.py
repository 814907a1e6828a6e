"""Word counts from a text, from tokens, from counts, or from the shipped corpus."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from ...golden.errors import ConfigError, as_text, require
from ...golden.types import Integers
from ..npy_file import load_array
from ..recordings import corpus
from .vocabulary import MOST_TOKENS, Vocabulary
from .words import words_of

LINES = 4096
"""Of a text, after which it is told how far it is read."""
LARGEST_ID = 2**24
"""Of a token: more words than any vocabulary has."""


def shipped() -> Vocabulary:
    """The corpus of this package."""
    found = corpus()
    counts = np.bincount(found.tokens, minlength=len(found.words))
    return Vocabulary.of(counts, "the shipped corpus", found.words)


def of_text(file: Path, progress: Callable[[float], object] = lambda _: None) -> Vocabulary:
    """The words of a text in UTF-8, see :func:`.words.words_of`.

    Raises:
        ConfigError: a file that cannot be read, or has no word.
    """
    counts: Counter[str] = Counter()
    read = 0
    for number, line in enumerate(_lines("--text", file)):
        counts.update(words_of(unicodedata.normalize("NFC", line)))
        read += len(line)
        if number % LINES == 0:
            progress(min(1.0, read / max(file.stat().st_size, 1)))
    words = sorted(counts)
    return Vocabulary.of(_whole(counts[word] for word in words), str(file), words)


def of_tokens(file: Path, vocabulary: int | None) -> Vocabulary:
    """Tokens as word numbers from 0: an array of ``numpy.save``, or text with spaces between.

    Args:
        vocabulary: words in all: those that do not occur come last, with a count of 0. None: the
            words are those that occur.

    Raises:
        ConfigError: a file that cannot be read, or holds anything else.
    """
    tokens = _array(file) if file.suffix == ".npy" else _numbers(file)
    require(tokens.size > 0, f"--tokens {file} must hold a token, and holds none")
    low, high = int(tokens.min()), int(tokens.max())
    highest = (vocabulary or LARGEST_ID) - 1
    require(
        low >= 0 and high <= highest,
        f"--tokens must be from 0 to {highest}, not {low if low < 0 else high}",
    )
    counts = np.bincount(tokens, minlength=vocabulary or 0)
    words = np.arange(counts.size) if vocabulary else np.flatnonzero(counts)
    found = Vocabulary.of(counts[words], str(file))
    return Vocabulary(found.counts, words[found.order], found.source)


def in_order(words: Vocabulary, file: Path | None) -> Integers:
    """The tokens that were counted, in the order of their text, as words of the vocabulary.

    Args:
        file: of :func:`of_tokens`; None for the corpus of this package.
    """
    if file is None:
        tokens = corpus().tokens.astype(np.int64)
    else:
        tokens = _array(file) if file.suffix == ".npy" else _numbers(file)
    ranks = np.zeros(int(words.order.max()) + 1, np.int64)
    ranks[words.order] = np.arange(len(words))
    return ranks[tokens]


def of_counts(file: Path) -> Vocabulary:
    """A count a line, or a word and its count with a space or a tab between.

    Raises:
        ConfigError: a file that cannot be read, or a line that is none, with its number.
    """
    counts: list[int] = []
    words: list[str] = []
    for number, line in enumerate(_lines("--counts", file), start=1):
        fields = line.split()
        if fields:
            counts.append(_count(fields[-1], file, number))
            words.append(" ".join(fields[:-1]))
    require(bool(counts), f"--counts {file} must hold a count, and holds none")
    return Vocabulary.of(_whole(counts), str(file), words if any(words) else ())


def _count(text: str, file: Path, line: int) -> int:
    count = _number(text)
    require(
        count is not None and 1 <= count <= MOST_TOKENS,
        f"--counts must be whole numbers from 1 to {MOST_TOKENS}, one a line, not {text!r} "
        f"(line {line} of {file})",
    )
    return count or 0


def _array(file: Path) -> Integers:
    """The array of a file, flat."""
    found = load_array("--tokens", file)
    require(
        found.dtype.kind in "iu",
        f"--tokens must be whole numbers, not of the type {found.dtype} as in {file}",
    )
    return found.ravel()


def _numbers(file: Path) -> Integers:
    tokens: list[int] = []
    for number, line in enumerate(_lines("--tokens", file), start=1):
        for text in line.split():
            token = _number(text)
            require(
                token is not None and 0 <= token < LARGEST_ID,
                f"--tokens must be whole numbers from 0 to {LARGEST_ID - 1}, not {text!r} "
                f"(line {number} of {file})",
            )
            tokens.append(token or 0)
    return _whole(tokens)


def _number(text: str) -> int | None:
    """A whole number in decimal digits; ``None`` for anything else."""
    try:
        return int(text) if "_" not in text else None
    except ValueError:
        return None


def _whole(values: Iterable[int]) -> Integers:
    return np.fromiter(values, np.int64)


def _lines(option: str, file: Path) -> Iterator[str]:
    """The lines of a text; a byte order mark before it is no part of it."""
    try:
        with file.open(encoding="utf-8-sig", newline=None) as stream:
            yield from stream
        return
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError as error:
        reason = f"it is no UTF-8 text (byte {as_text(error.object[error.start])} in it)"
    raise ConfigError(f"{option} must be a readable text, not {file}: {reason}")
