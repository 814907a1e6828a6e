"""Cycles of the unit: a row of k elements takes ceil(k / lanes) beats, one a cycle.

Rows follow one another without a gap, so that a token costs the beats of its head row, and those of
its tail's row where its word lies in one. A row that the row buffer does not hold is sent twice.

With n tokens in a tail of l words, its rows cost n · b(l), where b jumps. Yet the cheapest split is
found exactly, for b never falls:

- Given the b of each tail of a cheapest split, all words cost least where the most frequent ones
  go into the tail of least b, up to the most words of so many beats, then into the next: no
  exchange of two words makes that cheaper. Nothing is lost, therefore, where all tails but the last
  are as long as their beats allow: multiples of the lanes, or as long as the buffer or the longest
  row.
- The head can take words until its last beat is full as well: each saves its tokens a tail row.
- On tails that are multiples of the lanes, b(l) = l / lanes is linear up to the buffer, and 2 l /
  lanes beyond. n(s, e) · (e - s) fulfils Monge's condition, for what the two crossed tails cost
  more is (e' - e) n(s, s') + (s' - s) n(e, e') >= 0. Both laws are priced for all tails, the first
  up to the buffer; the second is never too cheap.
"""

from dataclasses import dataclass

import numpy as np

from ...golden.errors import require, require_whole
from ...golden.types import Indices, Integers
from .cost import Piece
from .vocabulary import Vocabulary

LONGEST_ROW = 2**24
NEVER = 2**61
"""Cycles of a split that cannot be; the sum of two of them is still a whole number of 63 bits."""


def row_cycles(lengths: Indices, lanes: int, buffer_length: int) -> Integers:
    """Cycles of rows of so many elements, other rows following at once."""
    beats = -(-lengths // lanes)
    return np.where(lengths > buffer_length, 2 * beats, beats)


@dataclass(frozen=True)
class Cycles:
    """Cycles of all tokens of a text; see :class:`.cost.Cost`.

    Attributes:
        lanes: elements of a beat.
        buffer_length: elements of the longest row that is sent once.
        max_length: elements of the longest row at all; any where it is ``None``.
    """

    vocabulary: Vocabulary
    lanes: int = 8
    buffer_length: int = 1024
    max_length: int | None = None

    def __post_init__(self) -> None:
        require_whole("lanes", self.lanes, 1, 1024)
        require_whole("buffer_length", self.buffer_length, self.lanes, LONGEST_ROW)
        if self.max_length is not None:
            require(
                self.max_length >= self.buffer_length,
                f"max_length must be at least buffer_length, {self.buffer_length}, not "
                f"{self.max_length}",
            )
        words = len(self.vocabulary) + self.lanes
        require(
            2 * self.vocabulary.tokens * words // self.lanes < NEVER,
            f"the counts of {self.vocabulary.source} must add up to less for {words} words, not "
            f"to {self.vocabulary.tokens:,}",
        )

    unlimited = NEVER
    whole = 0
    unit = "cycles a token"

    @property
    def words(self) -> str:
        longest = f", none above {self.max_length:,}" if self.max_length else ""
        return f"{self.lanes} lanes, rows above {self.buffer_length:,} elements sent twice{longest}"

    def told(self, cost: float) -> float:
        return cost / self.vocabulary.tokens

    @property
    def stride(self) -> int:
        return self.lanes

    @property
    def singles(self) -> tuple[int, ...]:
        """Longest rows sent once, and at all, that do not fill their last beat."""
        limits = {self.buffer_length, self.max_length or self.lanes}
        return tuple(sorted(limit for limit in limits if limit % self.lanes))

    @property
    def pieces(self) -> tuple[Piece, ...]:
        longest = self.max_length or len(self.vocabulary)
        if self.buffer_length >= min(longest, len(self.vocabulary)):
            return (Piece(self.buffer_length, self._once),)
        return Piece(self.buffer_length, self._once), Piece(longest, self._twice)

    def widths(self, tails: int) -> tuple[int, ...]:
        """Rows come from what computes them: how, costs the unit nothing."""
        return (0,) * tails

    def row(self, lengths: Indices) -> Integers:
        """Cycles of a row of so many elements."""
        return row_cycles(lengths, self.lanes, self.buffer_length)

    def head(self, words: Indices, tails: int) -> Integers:
        return self._rows(np.int64(self.vocabulary.tokens), words + tails)

    def tail(self, starts: Indices, ends: Indices, width: int) -> Integers:
        return self._rows(self._tokens(starts, ends), ends - starts)

    def _rows(self, count: Integers | np.int64, lengths: Indices) -> Integers:
        """Cycles of some rows of a length each."""
        longest = self.max_length or LONGEST_ROW
        return np.where(lengths > longest, NEVER, count * self.row(lengths))

    def _tokens(self, starts: Indices, ends: Indices) -> Integers:
        return self.vocabulary.before[ends] - self.vocabulary.before[starts]

    def _once(self, starts: Indices, ends: Indices, width: int) -> Integers:
        return self._tokens(starts, ends) * ((ends - starts) // self.lanes)

    def _twice(self, starts: Indices, ends: Indices, width: int) -> Integers:
        return self._tokens(starts, ends) * (2 * ((ends - starts) // self.lanes))
