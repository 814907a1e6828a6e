"""Splits that a planned one is held against."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

from .cost import Cutoffs
from .vocabulary import Vocabulary

HAND_PICKED: dict[str, Cutoffs] = {
    "hand-picked, torch's documentation": (10, 100, 1000),
    "hand-picked, often used": (2000, 10000),
    "hand-picked, Transformer-XL": (20000, 40000, 200000),
}
"""Cutoffs that are taken for any vocabulary."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A split with a name; without cutoffs a softmax over all words."""

    name: str
    cutoffs: Cutoffs

    @property
    def clusters(self) -> int:
        """The head counted where it has words; 1 of a softmax over all words."""
        return len(self.cutoffs) + (self.cutoffs[:1] != (0,))


def rivals(words: Vocabulary, clusters: int) -> list[Rival]:
    """The full softmax first, the rest by what they are."""
    return [Rival("full softmax", ()), *_classes(words), *_picked(words),
            *_equal(words, clusters)]  # fmt: skip


def _classes(words: Vocabulary) -> Iterator[Rival]:
    """Words in classes of about √V: a row of the classes, then the row of one."""
    size = isqrt(len(words) - 1) + 1
    yield Rival(f"two levels, classes of {size}", tuple(range(0, len(words), size)))


def _picked(words: Vocabulary) -> Iterator[Rival]:
    fifteenth = round(len(words) / 15)
    if fifteenth:
        yield Rival("hand-picked, V/15 and 3 V/15", (fifteenth, 3 * fifteenth))
    for name, cutoffs in HAND_PICKED.items():
        inside = tuple(cutoff for cutoff in cutoffs if cutoff < len(words))
        if inside:
            yield Rival(name, inside)


def _equal(words: Vocabulary, clusters: int) -> Iterator[Rival]:
    for count in dict.fromkeys((2, clusters)):
        if count <= len(words):
            yield Rival(f"{count} clusters of equal mass", words.equal_mass(count))
