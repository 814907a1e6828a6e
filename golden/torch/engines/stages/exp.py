"""exp(-distance) as a mantissa and a shift, from one table or a product of several."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....stages.exp import exp_table
from .tables import on_device


@dataclass(frozen=True, eq=False, slots=True)
class LowTable:
    """1 - exp of one index field, in units of 2**-fraction; ``place`` is the field's first bit."""

    entries: Tensor
    fraction: int
    place: int

    def __call__(self, u: Tensor) -> Tensor:
        """Entries of distances."""
        return self.entries[(u >> self.place) & (len(self.entries) - 1)]


@dataclass(frozen=True, eq=False, slots=True)
class Exp:
    """The stage of a configuration on a device.

    Attributes:
        high, shift: the first table, read at the distance's bits from ``place`` up.
        low: the further tables.
        guard: bits dropped from the running mantissa at the end.
    """

    high: Tensor
    shift: Tensor
    low: tuple[LowTable, ...]
    place: int
    guard: int

    @classmethod
    def of(cls, config: SoftmaxConfig, device: torch.device) -> "Exp":
        table = exp_table(config)
        high, shift = on_device(table.high, device), on_device(table.shift, device)
        places = [sum(table.split[index + 1 :]) for index in range(len(table.split))]
        low = tuple(
            LowTable(on_device(each.entries, device), each.fraction, place)
            for each, place in zip(table.low, places[1:], strict=True)
        )
        return cls(high, shift, low, places[0], table.guard)

    def first(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """(m, k) as the first table has them, before the further ones lower m."""
        index = u >> self.place
        return self.high[index], self.shift[index]

    def __call__(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """(m, k) of distances up to the reach."""
        running, shift = self.first(u)
        for table in self.low:
            loss = (running >> self.guard) * table(u)
            running = running - (loss >> (table.fraction - self.guard))
        return running >> self.guard, shift
