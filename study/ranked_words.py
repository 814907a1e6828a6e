"""A text as words, and its words by rank of frequency: 0 the most frequent."""

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

UNKNOWN, LINE_END = "<unk>", "<line>"

# A word keeps its inner dots, hyphens and apostrophes: os.path, built-in, don't.
_WORD = re.compile(r"\w+(?:[.'-]\w+)*|\n|[^\w\s]")


def words_of(text: str) -> list[str]:
    """The words of a text in lower case; a punctuation mark and the end of a line are words."""
    return [LINE_END if word == "\n" else word for word in _WORD.findall(text.lower())]


def ranked(text: Iterable[str], minimum: int) -> tuple[NDArray[np.int64], list[str]]:
    """(tokens, words): the words numbered by frequency, equal ones in alphabetical order; those
    that occur less than ``minimum`` times are one unknown word."""
    whole = list(text)
    counts = Counter(whole)
    whole = [word if counts[word] >= minimum else UNKNOWN for word in whole]
    counts = Counter(whole)
    words = sorted(counts, key=lambda word: (-counts[word], word))
    rank = {word: number for number, word in enumerate(words)}
    return np.array([rank[word] for word in whole], np.int64), words
