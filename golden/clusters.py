"""The clusters of an adaptive softmax' vocabulary: a head, and tails of rare words."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .errors import require, require_whole
from .given import plain, unmasked
from .types import Codes

MAX_VOCABULARY = 2**31 - 1
"""Most words: their ids, and those outside that are negative, fit a port's 32 bits."""


@dataclass(frozen=True)
class Clusters:
    """The clusters of a vocabulary whose words are sorted by falling frequency.

    Cluster 0 is the head. Its row has the words before the first cutoff, then an entry for each
    tail. Tail j, from 1 on, has the words from cutoff j to the next cutoff, or to the last word.

    Args:
        vocabulary: words, V.
        cutoffs: the first word of each tail, rising, as
            ``torch.nn.AdaptiveLogSoftmaxWithLoss`` takes them.

    Raises:
        ConfigError: a vocabulary or cutoffs that make no clusters, in one sentence.
    """

    vocabulary: int
    cutoffs: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "vocabulary", plain(self.vocabulary))
        require_whole("vocabulary", self.vocabulary, 2, MAX_VOCABULARY)
        require(
            isinstance(self.cutoffs, list | tuple) and len(self.cutoffs) > 0,
            f"cutoffs must be a list with the first word of every tail, one tail at least, not "
            f"{self.cutoffs!r}",
        )
        cutoffs = tuple(plain(cutoff) for cutoff in self.cutoffs)
        for number, cutoff in enumerate(cutoffs, 1):
            require_whole(f"cutoff {number}", cutoff, 1, MAX_VOCABULARY)
        for number, (last, cutoff) in enumerate(pairwise(cutoffs), 2):
            require(
                last < cutoff,
                f"cutoffs must rise, and cutoff {number} is {cutoff} after {last}, not larger",
            )
        require(
            cutoffs[-1] < self.vocabulary,
            f"vocabulary must be larger than the last cutoff {cutoffs[-1]}, so that the last tail "
            f"has a word, not {self.vocabulary}",
        )
        object.__setattr__(self, "cutoffs", cutoffs)

    @property
    def tails(self) -> int:
        """Tails, J."""
        return len(self.cutoffs)

    @property
    def shortlist(self) -> int:
        """Words of the head."""
        return self.cutoffs[0]

    @property
    def head_length(self) -> int:
        """Elements of the head's row: its words, and an entry for each tail."""
        return self.shortlist + self.tails

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Elements of the row of every cluster, the head's first."""
        starts = (*self.cutoffs, self.vocabulary)
        return self.head_length, *(end - start for start, end in pairwise(starts))

    def locate(self, words: npt.ArrayLike) -> tuple[Codes, Codes, Codes]:
        """Where words are.

        Args:
            words: ids, integers of any shape.

        Returns:
            (cluster, index in the head's row, index in the tail's row), each of the words' shape.
            A word of the head has no index in a tail, and a word outside the vocabulary is in no
            cluster: both are -1.

        Raises:
            ValueError: no integers.
        """
        ids = unmasked("words", words)
        if ids.dtype.kind not in "iu":
            raise ValueError(f"words must be integers, the ids of words, not {ids.dtype}")
        # an unsigned id that int64 does not hold is outside, as one above the vocabulary is
        ids = np.minimum(ids, MAX_VOCABULARY).astype(np.int64)
        inside = (ids >= 0) & (ids < self.vocabulary)
        cluster = np.where(inside, np.searchsorted(self.cutoffs, ids, side="right"), -1)
        head = np.where(cluster > 0, self.shortlist + cluster - 1, np.where(inside, ids, -1))
        first = np.array((0, *self.cutoffs))[cluster]
        return cluster, head, np.where(cluster > 0, ids - first, -1)

    def words(self, cluster: npt.ArrayLike, index: npt.ArrayLike) -> Codes:
        """The ids of words from their clusters and their places in those, which broadcast."""
        first = np.array((0, *self.cutoffs))
        return first[np.asarray(cluster)] + np.asarray(index)


def derived_clusters(
    max_length: int, vocabulary: int | None = None, cutoffs: tuple[int, ...] | None = None
) -> Clusters:
    """Clusters whose rows fit ``max_length`` elements, of what is given of them.

    Without cutoffs: the fewest tails that hold the vocabulary, each of ``max_length`` words but the
    last, behind a head that fills ``max_length``. Without a vocabulary: the last tail has
    ``max_length`` words, and there are two tails where nothing is given, or one where a head with
    two entries has no room for a word.

    Raises:
        ConfigError: what is given makes no clusters.
    """
    if cutoffs is None:
        cutoffs = _cutoffs(max_length, vocabulary)
    if vocabulary is None:
        last = cutoffs[-1] if isinstance(cutoffs, tuple) and cutoffs else 1
        vocabulary = last + max_length if isinstance(last, int) else 2
    return Clusters(vocabulary, cutoffs)


def _cutoffs(max_length: int, vocabulary: int | None) -> tuple[int, ...]:
    """The fewest tails that hold a vocabulary; two, if there is room, where there is none."""
    tails = 2 if max_length > 2 else 1
    if vocabulary is not None:
        require_whole("vocabulary", vocabulary, 2, MAX_VOCABULARY)
        # of tails of max_length words, each takes an entry of the head
        tails = max(-(-(vocabulary - max_length) // max(max_length - 1, 1)), 1)
    shortlist = max(max_length - tails, 1)
    if vocabulary is not None:
        shortlist = min(shortlist, vocabulary - 1)
        tails = -(-(vocabulary - shortlist) // max_length)  # more where the head has no room
    return tuple(shortlist + tail * max_length for tail in range(tails))
