"""Row minima of a matrix whose least entries lie further right from row to row.

That is so for every matrix with w(s, e) + w(s', e') <= w(s, e') + w(s', e) wherever s < s' and
e < e' (Monge's condition; in dynamic programming, the quadrangle inequality): the column of a row's
least entry never lies left of that of the row above. So the middle row halves what is left to be
looked at in all others, and of V x V entries about V log V are computed: Galil and Park,
Theoretical Computer Science 92, 1992; Aggarwal et al., Algorithmica 2, 1987.
"""

from collections.abc import Iterator
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...golden.types import Indices

CHUNK = 2**16
"""Entries computed at once: what they need stays in a cache."""

Number = TypeVar("Number", np.int64, np.float64)


class Entries(Protocol):
    """Entries of a matrix by row and column, all of the shape of ``columns``."""

    def __call__(self, rows: Indices, columns: Indices, /) -> NDArray: ...


def row_minima(low: Indices, high: Indices, entries: Entries) -> tuple[NDArray, Indices]:
    """The least entry of every row, and its column, the leftmost of equal ones.

    Args:
        low, high: first and last column of each row, shape (rows,), both rising or level, no row
            empty.
    """
    count = len(low)
    if not count:
        return np.zeros(0), np.zeros(0, np.int64)
    places = np.empty(count, np.int64)
    values: NDArray | None = None
    step = 1 << (count.bit_length() - 1)
    while step:
        rows = np.arange(step - 1, count, 2 * step)
        first, last = _between(places, rows, step, low, high)
        for part in _parts(last - first + 1):
            least, places[rows[part]] = _least(rows[part], first[part], last[part], entries)
            values = np.empty(count, least.dtype) if values is None else values
            values[rows[part]] = least
        step //= 2
    assert values is not None
    return values, places


def _between(
    places: Indices, rows: Indices, step: int, low: Indices, high: Indices
) -> tuple[Indices, Indices]:
    """First and last column of rows between those that are known, ``step`` above and below."""
    first, last = low[rows], high[rows]
    above, below = rows >= step, rows + step < len(places)
    first[above] = np.maximum(first[above], places[rows[above] - step])
    last[below] = np.minimum(last[below], places[rows[below] + step])
    return first, last


def _parts(counts: Indices) -> Iterator[slice]:
    """Slices of rows with about :data:`CHUNK` entries, at least a row each."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        reached = ends[start - 1] if start else 0
        end = int(np.searchsorted(ends, reached + CHUNK, "right"))
        yield slice(start, max(end, start + 1))
        start = max(end, start + 1)


def _least(
    rows: Indices, first: Indices, last: Indices, entries: Entries
) -> tuple[NDArray, Indices]:
    """The least entries of some rows, and their columns."""
    if len(rows) == 1:
        return _least_of_one(int(rows[0]), int(first[0]), int(last[0]), entries)
    counts = last - first + 1
    starts = np.cumsum(counts) - counts
    columns = np.arange(counts.sum()) + np.repeat(first - starts, counts)
    found = entries(np.repeat(rows, counts), columns)
    least = np.minimum.reduceat(found, starts)
    hits = np.flatnonzero(found == np.repeat(least, counts))
    return least, columns[hits[np.searchsorted(hits, starts)]]


def _least_of_one(row: int, first: int, last: int, entries: Entries) -> tuple[NDArray, Indices]:
    """The same of one row, however long."""
    least, place = [], []
    for start in range(first, last + 1, CHUNK):
        columns = np.arange(start, min(start + CHUNK, last + 1))
        found = entries(np.array([row]), columns)
        at = int(np.argmin(found))
        least.append(found[at])
        place.append(columns[at])
    best = int(np.argmin(least))
    return np.array([least[best]]), np.array([place[best]])
