"""The cross-entropy of a row: a weighted sum of -log p, rounded once."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....stages.log_probability import GUARD
from ....stages.loss import WEIGHT_FRACTION, loss_stage
from .exponentials import Elements
from .log_probability import LogProbability
from .rounding import drop_half_up


@dataclass(frozen=True, eq=False, slots=True)
class Loss:
    """L = sum z (-log p), z the weights of the classes; never negative.

    Attributes:
        highest: the largest code of a loss.
    """

    log: LogProbability
    highest: int

    @classmethod
    def of(cls, config: SoftmaxConfig, device: torch.device) -> "Loss":
        """Raises ``ConfigError`` as :func:`.loss_stage` does."""
        fmt = loss_stage(config).output
        return cls(LogProbability.of(config, fmt, device), fmt.max_code)

    def __call__(self, elements: Elements, z: Tensor) -> Tensor:
        """Codes of ``config.loss``, (rows,)."""
        fine = (z * self.log(elements.distance, elements.total)).sum(dim=-1)
        return drop_half_up(fine, GUARD + WEIGHT_FRACTION).clamp(0, self.highest)
