"""What a probe saw at a site, wherever its rows came from: a model, a file, a recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from ...golden.measures.row_figures import RowFigures
from ...golden.measures.row_record import RANGES, RowRecord
from ...golden.measures.row_sample import RowSample
from ...golden.rows import LogitRows
from ...golden.types import Reals

KEPT_ROWS, KEPT_ELEMENTS = 256, 1 << 21
"""Rows of a site that units are tried on, at most."""
BLOCK = 1 << 20
"""Elements that are recorded at once."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A site, and what was recorded there.

    Attributes:
        name: of the site. epochs: by name, heads as groups; of one epoch alone it is ``""``.
        sample: some of the rows; None where none was whole.
        decides: a row's winner is what a network answers, as it is not in attention.
    """

    name: str
    epochs: Mapping[str, RowRecord]
    sample: LogitRows | None
    decides: bool = True

    @cached_property
    def record(self) -> RowRecord:
        """Of all epochs."""
        return reduce(RowRecord.joined, self.epochs.values())

    @cached_property
    def figures(self) -> RowFigures:
        """Of all epochs and heads."""
        return RowFigures.of(self.record)

    @property
    def heads(self) -> list[RowFigures]:
        """Of each head, of all epochs; none where there is one alone."""
        groups = self.record.groups
        if groups < 2:
            return []
        return [RowFigures.of(self.record.of_group(head)) for head in range(groups)]


def seen(
    name: str,
    epochs: Mapping[str, Reals],
    seed: int,
    heads: int = 1,
    *,
    decides: bool = True,
    ranges: Sequence[float] = RANGES,
) -> Seen:
    """A site whose rows are all there.

    Args:
        epochs: by name, logits (heads x R, n), those of a head one after another; -inf takes no
            part, nor does NaN at the end of a row.
        seed: of the rows that are kept. decides: see :class:`Seen`. ranges: whose winners beyond
            them are counted.
    """
    sample = RowSample(KEPT_ROWS, KEPT_ELEMENTS, np.random.default_rng(seed))
    records = {}
    for epoch, rows in epochs.items():
        record = RowRecord.empty_of(heads, ranges)
        groups = rows.reshape(heads, -1, rows.shape[-1])
        step = max(BLOCK // (heads * rows.shape[-1]), 1)
        for start in range(0, groups.shape[1], step):
            _add(record, sample, groups[:, start : start + step])
        records[epoch] = record
    return Seen(name, records, sample.rows(), decides)


def _add(record: RowRecord, sample: RowSample, rows: Reals) -> None:
    """Record some rows, every element of them."""
    rows = np.where(np.isnan(rows), -np.inf, rows)
    active = rows > -np.inf
    low = np.where(active, rows, np.inf).min(axis=2)
    record.add_rows(rows.max(axis=2), low, active.sum(axis=2))
    record.add_drawn(rows.astype(np.float32))
    sample.add(rows.reshape(-1, rows.shape[2]))
