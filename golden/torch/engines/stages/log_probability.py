"""The logarithm of an element's probability: -(distance * scale) - ln of its row's sum."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....formats import Format
from ....stages import log_probability as golden
from ....stages.log_probability import GUARD
from .leading_one import RowSums
from .ln import Ln
from .rounding import drop_half_up


@dataclass(frozen=True, eq=False, slots=True)
class LogProbability:
    """The stage of a configuration for a format; results have GUARD bits more than it.

    Attributes:
        factor: one LSB of distance in units of 2**(GUARD - drop) LSB of the format.
    """

    factor: int
    drop: int
    ln: Ln

    @classmethod
    def of(cls, config: SoftmaxConfig, fmt: Format, device: torch.device) -> "LogProbability":
        stage = golden.LogProbability.of(config, fmt)
        return cls(stage.factor, stage.factor_fraction - GUARD, Ln.of(stage.ln, device))

    def __call__(self, distance: Tensor, total: RowSums) -> Tensor:
        """-log p."""
        return (distance * self.factor >> self.drop) + self.ln(total)

    def rounded(self, distance: Tensor, total: RowSums) -> Tensor:
        """log p without the guard bits."""
        return -drop_half_up(self(distance, total), GUARD)
