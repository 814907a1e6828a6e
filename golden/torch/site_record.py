"""What is recorded of one call of a model, over all of its forward passes."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..measures.row_record import RANGES, Floats, RowRecord
from ..measures.row_sample import RowSample
from ..types import Integers

_WAITING = 1 << 17
"""Elements, or rows, that wait to be recorded together: many small calls cost as one."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How much is looked at closely.

    Attributes:
        elements: of a call, or of each part of it of 2^18 elements: rows of about so many elements
            are drawn for what takes a look at every element, and one of each head at least.
        kept_rows, kept_elements: rows that are kept whole, at most.
        ranges: rows whose maximum lies beyond plus or minus these are counted.
    """

    elements: int = 1 << 14
    kept_rows: int = 256
    kept_elements: int = 1 << 21
    ranges: tuple[float, ...] = RANGES


class SiteRecord:
    """Rows of one call, by epoch.

    Args:
        heads: that its rows belong to. generator: of what is drawn.
        lowest: elements at or below it take no part.

    Attributes:
        epochs: what was recorded in each epoch. sample: rows that were kept, of all of them.
    """

    def __init__(
        self,
        heads: int,
        sampling: Sampling,
        generator: np.random.Generator,
        lowest: float = -torch.inf,
    ) -> None:
        self.heads, self.sampling, self.lowest = heads, sampling, lowest
        self._generator, keys = generator.spawn(2)
        self.sample = RowSample(sampling.kept_rows, sampling.kept_elements, keys)
        self.epochs: dict[int, RowRecord] = {}
        self._epoch = 0
        self._ends: list[tuple[Floats, Floats, Integers]] = []
        self._drawn: dict[int, list[Floats]] = {}
        self._waiting = 0

    def add(self, x: Tensor, epoch: int) -> None:
        """Record rows, (heads, R, n)."""
        if epoch != self._epoch:
            self.flush()
            self._epoch = epoch
        self._ends.append(self._ends_of(x))
        drawn = self._some_of(x)
        self._drawn.setdefault(x.shape[2], []).append(drawn)
        self._waiting += drawn.size + x.shape[0] * x.shape[1]
        if self._waiting > _WAITING:
            self.flush()

    def _ends_of(self, x: Tensor) -> tuple[Floats, Floats, Integers]:
        """(largest, smallest, number) of the elements that take part, (heads, R) each."""
        top, low = _array(x.amax(-1)), _array(x.amin(-1))
        if (low > self.lowest).all():
            return top, low, np.full(top.shape, x.shape[2])
        active = x > self.lowest
        low = _array(torch.where(active, x, torch.inf).amin(-1))
        return self._masked(top), low, _array(torch.count_nonzero(active, -1))

    def _masked(self, x: Floats) -> Floats:
        """NaN stays."""
        x[x <= self.lowest] = -np.inf
        return x

    def _some_of(self, x: Tensor) -> Floats:
        """The rows that are looked at closely, the same of every head."""
        heads, rows, n = x.shape
        count = max(self.sampling.elements // (heads * n), 1)
        if count >= rows:
            return self._masked(_array(x.clone()))
        places = self._generator.choice(rows, count, replace=False, shuffle=False)
        return self._masked(_array(x[:, torch.from_numpy(places).to(x.device)]))

    def flush(self) -> None:
        """Record what waits."""
        if not self._ends:
            return
        record = self.epochs.setdefault(
            self._epoch, RowRecord.empty_of(self.heads, self.sampling.ranges)
        )
        record.add_rows(*(np.concatenate(parts, axis=1) for parts in zip(*self._ends, strict=True)))
        for n, parts in self._drawn.items():
            drawn = np.concatenate(parts, axis=1)
            record.add_drawn(drawn)
            self.sample.add(drawn.reshape(-1, n))
        self._ends, self._drawn, self._waiting = [], {}, 0


def _array(x: Tensor) -> np.ndarray:
    return x.cpu().numpy()
