"""The gradient of the cross-entropy: p - y, where p = 1 is reached exactly."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....stages.loss import WEIGHT_FRACTION
from ....stages.residual import residual_stage
from .exponentials import Elements
from .probability import Probability
from .reciprocal import Reciprocal
from .rounding import drop_half_up


@dataclass(frozen=True, eq=False, slots=True)
class Residual:
    """p less the weights z of the classes, both times 2**exponent of the row.

    Attributes:
        lowest, highest: codes of ``config.loss_grad``.
    """

    probability: Probability
    fraction: int
    lowest: int
    highest: int

    @classmethod
    def of(cls, config: SoftmaxConfig, device: torch.device) -> "Residual":
        p = Probability(Reciprocal.of(config, device), residual_stage(config).normalize)
        return cls(p, config.output.f, config.loss_grad.min_code, config.loss_grad.max_code)

    def __call__(self, elements: Elements, z: Tensor, exponent: Tensor) -> Tensor:
        """Codes of p * sum z - z, rounded half up once."""
        p = self.probability(elements, exponent)
        fine = p * z.sum(dim=-1, keepdim=True) - (z << self.fraction + exponent)
        return drop_half_up(fine, WEIGHT_FRACTION).clamp(self.lowest, self.highest)
