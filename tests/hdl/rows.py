"""Rows of logits as beats of the softmax unit, and the beats that golden answers with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.softmax import softmax_rows

from .streams import plain


@dataclass(frozen=True, eq=False)
class Row:
    """One row of input codes; a masked element takes no part."""

    x: np.ndarray
    mask: np.ndarray


def random_rows(config: SoftmaxConfig, lengths: Iterable[int], seed: int = 20) -> list[Row]:
    """Rows of given lengths: logits of any size, near one another, all equal, some masked."""
    rng = np.random.default_rng(seed)
    low, high = config.input.min_code, config.input.max_code
    rows = []
    for number, length in enumerate(lengths):
        near = rng.integers(low, high + 1) + rng.integers(-4, 5, length)
        anything = rng.integers(low, high + 1, length)
        equal = np.full(length, rng.integers(low, high + 1))
        x = np.clip([anything, near, anything, equal][number % 4], low, high)
        masked = rng.random(length) < [0.0, 0.0, 0.3, 0.9, 1.0][number % 5]
        rows.append(Row(x, masked))
    return rows


def input_beats(rows: Sequence[Row], lanes: int, seed: int = 21) -> list[dict[str, Any]]:
    """What the unit is given; lanes beyond a row's end hold noise."""
    rng = np.random.default_rng(seed)
    return [
        {
            "x": np.where(present, x, rng.integers(-4, 4, lanes)).tolist(),
            "keep": packed(present),
            "mask": packed(np.where(present, mask, rng.integers(0, 2, lanes))),
            "last": int(last),
        }
        for row in rows
        for present, last, x, mask in in_beats(lanes, row.x, row.mask)
    ]


def output_beats(rows: Sequence[Row], config: SoftmaxConfig) -> list[dict[str, Any]]:
    """What golden answers with."""
    beats = []
    for row in rows:
        gold = softmax_rows(row.x, config, row.mask)
        for present, last, p, clipped in in_beats(config.lanes, gold.p, gold.clipped):
            beat = {"p": p.tolist(), "keep": packed(present), "clipped": packed(clipped)}
            beats.append(beat | {"last": int(last)})
    return beats


def as_beat(payload: Any) -> dict[str, Any]:
    """A payload taken from the unit's output, in the form of :func:`output_beats`."""
    return {name: plain(payload[name]) for name in ("p", "keep", "clipped", "last")}


def in_beats(lanes: int, *columns: np.ndarray) -> Iterable[tuple]:
    """(elements present, last, a part of every column) of each beat of a row; padded with 0."""
    length = len(columns[0])
    beats = -(-length // lanes)
    padded = [np.pad(c, (0, beats * lanes - length)).reshape(beats, lanes) for c in columns]
    present = (np.arange(beats * lanes) < length).reshape(beats, lanes)
    for beat in range(beats):
        yield present[beat], beat == beats - 1, *(column[beat] for column in padded)


def packed(bits: np.ndarray) -> int:
    """Flags as an integer, lane 0 lowest."""
    return int((np.asarray(bits).astype(np.int64) << np.arange(len(bits))).sum())
