"""Words by falling count: what a split into clusters is planned for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...golden.errors import require
from ...golden.types import Integers

MOST_TOKENS = 2**42
"""Of a text: cycles of a million words times its tokens stay whole numbers of 63 bits."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words of a text, the most frequent first.

    Attributes:
        counts: how often each word occurs, shape (words,), falling.
        order: the number that each had where it was read, shape (words,); equal counts keep their
            order.
        source: what was counted, in words.
        names: the words themselves, in the order of ``counts``; empty where they have none.
    """

    counts: Integers
    order: Integers
    source: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, counts: Integers, source: str, names: Sequence[str] = ()) -> "Vocabulary":
        """Sort counts, each of the word of its place.

        Raises:
            ConfigError: no count, all of them 0, or more tokens than can be counted.
        """
        counts = np.asarray(counts, np.int64)
        require(counts.size > 0, f"{source} must hold a word, and holds none")
        total = float(counts.sum(dtype=np.float64))
        require(
            0 < total <= MOST_TOKENS,
            f"the counts of {source} must add up to 1 to {MOST_TOKENS:,}, not {total:,.0f}",
        )
        order = np.argsort(-counts, kind="stable")
        named = tuple(map(names.__getitem__, order.tolist())) if names else ()
        return cls(counts[order], order, source, named)

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def is_sorted(self) -> bool:
        """The words were in this order where they were read."""
        return bool((self.order == np.arange(len(self))).all())

    @cached_property
    def before(self) -> Integers:
        """Tokens of the words before each place, shape (words + 1,)."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    @property
    def tokens(self) -> int:
        """Of the whole text."""
        return int(self.before[-1])

    def covering(self, share: float) -> int:
        """The fewest words that are so large a share of the text, from 0 to 1."""
        return int(np.searchsorted(self.before, share * self.tokens, "left"))

    def equal_mass(self, clusters: int) -> tuple[int, ...]:
        """The cutoffs of clusters that hold an equal share of the text, as nearly as they can.

        They rise, and each leaves a word for every cluster behind it.
        """
        cutoffs: list[int] = []
        for cluster in range(1, clusters):
            least = cutoffs[-1] + 1 if cutoffs else 1
            most = len(self) - (clusters - cluster)
            cutoffs.append(min(max(self.covering(cluster / clusters), least), most))
        return tuple(cutoffs)
