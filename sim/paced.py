"""What measures the pace of a unit: rows back to back, then short ones through the idle unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..golden.types import Bits, Codes, Integers

PACE_ROWS, LATENCY_ROWS = 2000, 8
"""Rows that measure the rate, at most, and rows that measure the latency."""


@dataclass(frozen=True, eq=False, slots=True)
class Paced:
    """Rows back to back, and behind them ``LATENCY_ROWS`` single ones.

    Attributes:
        rows: of the unit's kind.
        lengths: elements of each row back to back.
        waits: for each input stream, the rows that wait until the unit is empty; ``None`` for none.
        beats: of a single row.
    """

    rows: Any
    lengths: Integers
    waits: Mapping[str, Bits | None]
    beats: int = 1


class Shortens(Protocol):
    """Rows of any length are good rows: :meth:`.kind.Kind.shortened`."""

    def shortened(self, rows: Any, chosen: Codes, lengths: Codes) -> Any: ...


def longest_first(kind: Shortens, rows: Any, streams: tuple[str, ...]) -> Paced:
    """The longest rows, and then rows of one element."""
    order = np.argsort(-rows.lengths, kind="stable")[:PACE_ROWS]
    lengths = np.concatenate([rows.lengths[order], np.ones(LATENCY_ROWS, np.int64)])
    chosen = np.concatenate([order, order[:1].repeat(LATENCY_ROWS)])
    single = np.arange(len(chosen)) >= len(order)
    return Paced(
        kind.shortened(rows, chosen, lengths), lengths[~single], dict.fromkeys(streams, single)
    )
