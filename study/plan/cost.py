"""What a cost of splits must be, so that the cheapest can be found exactly.

A split of V words, the most frequent first, is a head of the words before its first cutoff, with an
entry for every tail, and J tails behind it: tail i has the words from cutoff i to the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...golden.types import Indices
from .vocabulary import Vocabulary

Cutoffs = tuple[int, ...]
"""First words of the tails, rising, as torch takes them: the vocabulary is not among them."""


class TailCost(Protocol):
    """The cost of tails: words ``starts`` to ``ends``, without the latter, of some width."""

    def __call__(self, starts: Indices, ends: Indices, width: int, /) -> NDArray: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A way to price tails up to a length, which fulfils Monge's condition there.

    Attributes:
        limit: words of the longest tail that it prices; none where it is ``None``. A longer tail
            costs it without end, which keeps the condition.
    """

    limit: int | None
    cost: TailCost


class Cost(Protocol):
    """A cost of splits of a vocabulary.

    Attributes:
        stride: a cheapest split has tails, but for the last, of a multiple of it in words, and a
            head row too, unless their length is one of ``singles``.
        pieces: a tail costs what the cheapest of them says.
        unlimited: more than any split costs.
        whole: width of a tail that is as wide as the head.
        unit: of what :meth:`told` gives. words: what is reckoned with, for people.
    """

    @property
    def vocabulary(self) -> Vocabulary: ...

    @property
    def stride(self) -> int: ...

    @property
    def singles(self) -> Sequence[int]: ...

    @property
    def pieces(self) -> Sequence[Piece]: ...

    @property
    def unlimited(self) -> float | int: ...

    @property
    def whole(self) -> int: ...

    @property
    def unit(self) -> str: ...

    @property
    def words(self) -> str: ...

    def told(self, cost: float | int) -> float:
        """A cost in the unit that people are told."""
        ...

    def widths(self, tails: int) -> tuple[int, ...]:
        """A width for each tail, of what its cost depends on besides words."""
        ...

    def head(self, words: Indices, tails: int) -> NDArray:
        """The cost of heads of so many words."""
        ...

    def tail(self, starts: Indices, ends: Indices, width: int) -> NDArray:
        """The cost of tails: the least of the pieces."""
        ...


def total(cost: Cost, cutoffs: Sequence[int]) -> float | int:
    """The cost of a split; one with a first cutoff of 0 has tails alone in its head.

    Without a cutoff, it is a softmax over all words.
    """
    edges = np.array([*cutoffs, len(cost.vocabulary)])
    found = cost.head(edges[:1], len(cutoffs)).item()
    for start, end, width in zip(edges[:-1], edges[1:], cost.widths(len(cutoffs)), strict=True):
        found += cost.tail(np.array([start]), np.array([end]), width).item()
    return min(found, cost.unlimited)
