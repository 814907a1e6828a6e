"""Rows of logits as beats of the softmax unit, and the beats that golden answers with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softmaxfx.golden import SoftmaxConfig
from softmaxfx.golden.units.softmax import softmax_rows

from .streams import plain


@dataclass(frozen=True, eq=False)
class Row:
    """One row of input codes; a masked element takes no part.

    ``null_beat``: a beat without elements ends the row.
    """

    x: np.ndarray
    mask: np.ndarray
    ident: int = 0
    null_beat: bool = False


def random_rows(config: SoftmaxConfig, lengths: Iterable[int], seed: int = 20) -> list[Row]:
    """Rows of given lengths: logits of any size, near one another, all equal, some masked."""
    rng, idents = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    low, high = config.input.min_code, config.input.max_code
    rows = []
    for number, length in enumerate(lengths):
        near = rng.integers(low, high + 1) + rng.integers(-4, 5, length)
        anything = rng.integers(low, high + 1, length)
        equal = np.full(length, rng.integers(low, high + 1))
        x = np.clip([anything, near, anything, equal][number % 4], low, high)
        masked = rng.random(length) < [0.0, 0.0, 0.3, 0.9, 1.0][number % 5]
        ident = int(idents.integers(0, 1 << config.id_width))
        rows.append(Row(x, masked, ident, null_beat=length == 0))
    return rows


def input_beats(rows: Sequence[Row], config: SoftmaxConfig, seed: int = 21) -> list[dict[str, Any]]:
    """What the unit is given; lanes beyond a row's end hold noise."""
    rng = np.random.default_rng(seed)
    lanes = config.lanes
    return [
        {
            "x": np.where(present, x, rng.integers(-4, 4, lanes)).tolist(),
            "present": packed(present),
            "broken": 0,
            "mask": packed(np.where(present, mask, rng.integers(0, 2, lanes))),
            **ident_of(config, row.ident),
            "last": int(last),
        }
        for row in rows
        for present, last, x, mask in in_beats(row, lanes, row.x, row.mask)
    ]


def output_beats(rows: Sequence[Row], config: SoftmaxConfig) -> list[dict[str, Any]]:
    """What golden answers with."""
    beats = []
    for row in rows:
        p, clipped, exponent = row.x, row.mask, 0  # of no elements, golden gives no row
        if len(row.x):
            gold = softmax_rows(row.x, config, row.mask)
            p, clipped, exponent = gold.p, gold.clipped, int(gold.exponent)
        for present, last, p_beat, clipped_beat in in_beats(row, config.lanes, p, clipped):
            beats.append(
                {
                    "p": p_beat.tolist(),
                    "keep": packed(present),
                    "clipped": packed(clipped_beat),
                    "error": 0,
                    **ident_of(config, row.ident),
                    **({"exponent": exponent} if config.has_exponent else {}),
                    "last": int(last),
                }
            )
    return beats


def as_beat(payload: Any) -> dict[str, Any]:
    """A payload taken from the unit's output, in the form of :func:`output_beats`."""
    fields = {
        name: plain(payload[group][name])
        for group in ("tag", "row")
        for name in payload[group].shape().members
    }
    return {"p": plain(payload["p"]), **fields, "last": plain(payload["last"])}


def log_bits(beat: dict[str, Any], config: SoftmaxConfig) -> dict[str, Any]:
    """An output beat of log p, codes as bits, 0 in lanes beyond its row's end: there, anything."""
    codes = 1 << config.output.width
    kept = [beat["keep"] >> lane & 1 for lane in range(config.lanes)]
    return beat | {"p": [p % codes * keep for p, keep in zip(beat["p"], kept, strict=True)]}


def in_beats(row: Row, lanes: int, *columns: np.ndarray) -> Iterable[tuple]:
    """(elements present, last, a part of every column) of each beat of a row; padded with 0."""
    length = len(row.x)
    beats = -(-length // lanes) + row.null_beat
    padded = [np.pad(c, (0, beats * lanes - length)).reshape(beats, lanes) for c in columns]
    present = (np.arange(beats * lanes) < length).reshape(beats, lanes)
    for beat in range(beats):
        yield present[beat], beat == beats - 1, *(column[beat] for column in padded)


def bytes_of_container(config: SoftmaxConfig) -> int:
    """Bytes of an input element's container."""
    return -(-config.input.width // 8)


def ident_of(config: SoftmaxConfig, ident: int) -> dict[str, int]:
    """The field of a beat's id, where the unit has one."""
    return {"id": ident} if config.id_width else {}


def packed(bits: np.ndarray) -> int:
    """Flags as an integer, lane 0 lowest."""
    return int((np.asarray(bits).astype(np.int64) << np.arange(len(bits))).sum())
