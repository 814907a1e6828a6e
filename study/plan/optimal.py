"""The cheapest split of a vocabulary, by exact dynamic programming from its end.

Let b(s) be the least that words s to V cost in j tails. For one tail it is the tail's cost, for
more the least over e of the tail from s to e and b(e) of one tail fewer: the row minima of a matrix
that fulfils Monge's condition (see :mod:`.cost`), found in V log V steps. A head of k words and J
tails costs head(k, J) + b(k).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...golden.errors import require
from ...golden.types import Indices
from .cost import Cost, Cutoffs, Piece
from .monge import row_minima

Progress = Callable[[float], object]

Widths = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """A split and its cost, in the unit of the cost that it was planned by."""

    cutoffs: Cutoffs
    cost: float | int

    @property
    def tails(self) -> int:
        return len(self.cutoffs)


@dataclass(frozen=True, eq=False, slots=True)
class _Ends:
    """The cheapest tails from the starts of a residue class to the end of the vocabulary.

    Attributes:
        cost: of starts residue, residue + stride, and so on. next: where the first tail ends.
    """

    cost: NDArray
    next: NDArray


class Planner:
    """Finds cheapest splits; what it has found for some tails, it uses for more."""

    def __init__(self, cost: Cost) -> None:
        self.cost = cost
        self._words = len(cost.vocabulary)
        self._known: dict[tuple[Widths, int], _Ends] = {}

    def best(self, tails: int, progress: Progress = lambda _: None) -> Split:
        """The cheapest split into a head and up to so many tails, of equal ones that of fewest.

        Raises:
            ConfigError: no tail, fewer words than clusters, rows that are all too long.
        """
        return min(self.curve(tails, progress), key=lambda split: split.cost)

    def curve(self, tails: int, progress: Progress = lambda _: None) -> list[Split]:
        """The cheapest split of each number of tails up to this one, where there is any.

        Raises:
            ConfigError: as :meth:`best`.
        """
        require(
            1 <= tails < self._words,
            f"clusters must be 2 to {self._words}, as many as there are words, not {tails + 1}",
        )
        found = []
        for count in range(1, tails + 1):
            found += [split] if (split := self._split(count)) else []
            progress(count / tails)
        require(
            bool(found),
            f"{self._words} words in {tails + 1} clusters must fit what is sent, and no split of "
            f"them does: {self.cost.words}",
        )
        return found

    def _split(self, tails: int) -> Split | None:
        """The cheapest split whose tails are as long as their price allows, if there is one."""
        widths = self.cost.widths(tails)
        found = []
        for starts in self._heads(tails):
            costs = self.cost.head(starts, tails) + self._at(widths, starts)
            best = int(np.argmin(costs))
            found.append((costs[best].item(), int(starts[best])))
        cost, start = min(found, default=(self.cost.unlimited, 0))
        return Split(self._followed(widths, start), cost) if cost < self.cost.unlimited else None

    def _heads(self, tails: int) -> Iterator[Indices]:
        """Words of heads that fill their row, those of a residue class together; and of the one
        that leaves a word, where a head could hold all."""
        first = -tails % self.cost.stride or self.cost.stride
        starts = np.arange(first, self._words, self.cost.stride)
        if starts.size:
            yield starts
        for single in self.cost.singles:
            if 1 <= single - tails < self._words:
                yield np.array([single - tails])
        if tails == 1:
            yield np.array([self._words - 1])

    def _followed(self, widths: Widths, start: int) -> Cutoffs:
        """The cutoffs from the first on."""
        cutoffs = [start]
        for tail in range(len(widths) - 1):
            ends = self._ends(widths[tail:], cutoffs[-1] % self.cost.stride)
            cutoffs.append(int(ends.next[cutoffs[-1] // self.cost.stride]))
        return tuple(cutoffs)

    def _at(self, widths: Widths, starts: Indices) -> NDArray:
        """The least that tails of these widths cost, from starts of one residue class on."""
        ends = self._ends(widths, int(starts[0]) % self.cost.stride)
        return ends.cost[starts // self.cost.stride]

    def _ends(self, widths: Widths, residue: int) -> _Ends:
        known = self._known.get((widths, residue))
        if known is None:
            known = self._known[widths, residue] = self._found(widths, residue)
        return known

    def _found(self, widths: Widths, residue: int) -> _Ends:
        starts = np.arange(residue, self._words, self.cost.stride)
        if len(widths) == 1:
            last = np.full(len(starts), self._words)
            return _Ends(self.cost.tail(starts, last, widths[0]), last)
        cost = np.full(len(starts), self.cost.unlimited)
        then = np.zeros(len(starts), np.int32)
        for found, ends in self._choices(widths, residue, starts):
            better = np.flatnonzero(found < cost[: len(found)])
            cost[better], then[better] = found[better], ends[better]
        return _Ends(cost, then)

    def _choices(
        self, widths: Widths, residue: int, starts: Indices
    ) -> Iterator[tuple[NDArray, NDArray]]:
        """Costs of the first starts, and where their first tails end, in several ways."""
        for piece in self.cost.pieces:
            yield self._by_piece(piece, widths, residue, starts)
        for single in self.cost.singles:
            inside = starts[: np.searchsorted(starts, self._words - single)]
            if inside.size:
                ends = inside + single
                tail = self.cost.tail(inside, ends, widths[0])
                yield tail + self._at(widths[1:], ends), ends

    def _by_piece(
        self, piece: Piece, widths: Widths, residue: int, starts: Indices
    ) -> tuple[NDArray, NDArray]:
        """First tails that end in the residue class of their start."""
        stride, then = self.cost.stride, self._ends(widths[1:], residue).cost

        def entries(rows: Indices, columns: Indices) -> NDArray:
            starts, ends = residue + stride * rows, residue + stride * columns
            return piece.cost(starts, ends, widths[0]) + then[columns]

        rows = np.arange(len(starts) - 1)
        longest = self._words if piece.limit is None else piece.limit
        high = np.minimum(rows + max(longest // stride, 1), len(rows))
        cost, columns = row_minima(rows + 1, high, entries)
        return cost, residue + stride * columns
