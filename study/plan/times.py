"""Time of the matrix products that make the logits, as a law of two parts that is fitted to them.

A product of (tokens, d) and (d, k) takes max(c + λ k₀ B₀, c + λ k B): linear in the work, and below
some k₀ B₀ no less than a floor. That is why a tail of rare words wastes a fast processor: of B
tokens it sees p B, and as soon as p B k falls below k₀ B₀ it costs the floor, however few they are.
Grave et al., Efficient softmax approximation for GPUs, ICML 2017.

The cheapest split is found exactly, for the cost of a tail of n tokens in l words fulfils Monge's
condition: n · l does (see :mod:`.cycles`), it rises with the tail, and a rising convex function of
what rises and fulfils it fulfils it too, as max(floor, c + λ ·) is one: of the inner tail A, the
outer one D, and B and C between them, A + D >= B + C, so that (A, B + C - A) majorizes (B, C) and D
is no less than B + C - A. The projection's cost, of n alone, is a sum over words before it is put
into the same function.

Cheapest of the splits of sorted words, that is. Where no tail is at the floor, no other assignment
of words costs less; below the floor, a tail of rare words can have room for a frequent one.
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Protocol

import numpy as np

from ...golden.errors import require, require_whole
from ...golden.types import Indices, Reals
from .cost import Piece
from .vocabulary import Vocabulary

LEAST_WIDTH = 16
"""Of a tail's projection, by the rule of :class:`Quarter`."""


@dataclass(frozen=True, slots=True)
class Law:
    """Seconds of a matrix product.

    Attributes:
        floor: the least that any takes. overhead: c. rate: seconds a multiply-add, of which a
            product of (tokens, d) and (d, k) has tokens · d · k.
    """

    floor: float
    overhead: float
    rate: float

    def seconds(self, work: Reals) -> Reals:
        """The time of products of so many multiply-adds."""
        return np.maximum(self.floor, np.float64(self.overhead) + self.rate * work)

    @property
    def knee(self) -> float:
        """Multiply-adds below which the floor is paid."""
        return (self.floor - self.overhead) / self.rate

    def slope(self, hidden: int) -> float:
        """λ: seconds an output and token, with so many hidden units."""
        return self.rate * hidden


class Widths(Protocol):
    """The dimension that each tail's tokens are projected to."""

    def of(self, hidden: int, tails: int) -> tuple[int, ...]: ...


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of the hidden dimension for every tail, and at least 16."""

    def of(self, hidden: int, tails: int) -> tuple[int, ...]:
        return (min(hidden, max(LEAST_WIDTH, hidden // 4)),) * tails


@dataclass(frozen=True, slots=True)
class DivValue:
    """torch's rule: tail i, from 1, is projected to hidden // value**i."""

    value: float

    def of(self, hidden: int, tails: int) -> tuple[int, ...]:
        found = tuple(int(hidden // self.value**tail) for tail in range(1, tails + 1))
        for tail, width in enumerate(found, start=1):
            require(
                width >= 1,
                f"div_value must leave every tail a dimension of at least 1, and {self.value:g} "
                f"leaves tail {tail} of {hidden} hidden units none",
            )
        return found


@dataclass(frozen=True)
class Times:
    """Seconds that the logits of a batch take; see :class:`.cost.Cost`.

    A tail as wide as the head has no projection.

    Attributes:
        batch: tokens, spread over the tails as the text has them. hidden: units before the logits.
    """

    vocabulary: Vocabulary
    law: Law
    batch: int = 512
    hidden: int = 512
    projection: Widths = Quarter()

    stride = 1
    singles = ()
    unlimited = inf
    unit = "ms a batch"

    @property
    def whole(self) -> int:
        return self.hidden

    @property
    def words(self) -> str:
        return f"batches of {self.batch:,} tokens with {self.hidden:,} hidden units"

    def told(self, cost: float) -> float:
        return 1000 * cost

    def __post_init__(self) -> None:
        require_whole("batch", self.batch, 1, 2**24)
        require_whole("hidden", self.hidden, 1, 2**20)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return (Piece(None, self.tail),)

    @cached_property
    def _before(self) -> Reals:
        """Tokens of a batch in the words before each place."""
        return self.vocabulary.before * np.float64(self.batch / self.vocabulary.tokens)

    def widths(self, tails: int) -> tuple[int, ...]:
        return self.projection.of(self.hidden, tails)

    def head(self, words: Indices, tails: int) -> Reals:
        return self.law.seconds((words + tails) * np.float64(self.batch * self.hidden))

    def tail(self, starts: Indices, ends: Indices, width: int) -> Reals:
        work = (self._before[ends] - self._before[starts]) * width
        found = self.law.seconds(work * (ends - starts))
        return found if width == self.whole else found + self.law.seconds(work * self.hidden)
