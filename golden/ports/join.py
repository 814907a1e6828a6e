"""How two streams of beats become one of pairs: rows of P, and the rows of dP that belong to them.

The k-th row of one belongs to the k-th row of the other, and they are consumed in step. A row of P
decides how many beats leave: where dP's row is shorter, the rest of P's leaves without a partner;
where it is longer, what is left of it is swallowed before the next row. Both are faults of the row,
and so are elements that only one of a pair has.
"""

from dataclasses import dataclass

import numpy as np

from ..types import Bits, Codes


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """Beats of P that can leave, in order.

    Attributes:
        partner: place of dP's beat, -1 where there is none; one for each of P's first beats.
        fault: bool, same shape: the beat is none of a pair of rows of equal length.
    """

    partner: Codes
    fault: Bits


def join(p_keep: Bits, p_last: Bits, dp_keep: Bits, dp_last: Bits) -> Pairs:
    """Join two streams.

    Args:
        p_keep, dp_keep: (beats, lanes, bytes of an element's container), each stream its own.
        p_last, dp_last: (beats,).
    """
    p_row, p_beat = _places(p_last)
    starts, counts, whole = _rows(dp_last)
    known = p_row < len(starts)  # the row of dP has begun
    row = np.where(known, p_row, 0)
    start, count = (array[row] if len(starts) else np.zeros_like(row) for array in (starts, counts))
    partnered = known & (p_beat < count)
    over = known & ~partnered & (whole[row] if len(starts) else False)
    waits = ~(partnered | over)  # for beats of dP that have not come
    leaving = int(waits.argmax()) if waits.any() else len(waits)
    partner = np.where(partnered, start + p_beat, -1)[:leaving]
    paired = partner >= 0
    there = partner[paired]
    fault = np.logical_not(paired)
    p_lanes = np.asarray(p_keep[:leaving].any(axis=2))
    dp_lanes = np.asarray(dp_keep.any(axis=2))
    broken = (dp_keep != dp_keep[:, :, :1]).any(axis=(1, 2))
    fault[paired] |= (
        (p_lanes[paired] != dp_lanes[there]).any(axis=1)
        | broken[there]
        | (p_last[:leaving][paired] != dp_last[there])
    )
    return Pairs(partner, fault)


def _places(last: Bits) -> tuple[Codes, Codes]:
    """(row, place in its row) of every beat."""
    starts = np.flatnonzero(np.append(True, last[:-1]))[: len(last)]
    row = np.cumsum(last) - last
    return row, np.arange(len(last)) - starts[row] if len(last) else row


def _rows(last: Bits) -> tuple[Codes, Codes, Bits]:
    """(first beat, beats so far, whether it is complete) of every row that has begun."""
    if not len(last):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool)
    starts = np.flatnonzero(np.append(True, last[:-1]))
    counts = np.diff(np.append(starts, len(last)))
    return starts, counts, last[starts + counts - 1]
