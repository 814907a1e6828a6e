"""What the unit gives of an element: p = exp / S, or its logarithm."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....stages.normalize import Normalize
from .exponentials import Elements
from .log_probability import LogProbability
from .reciprocal import Reciprocal
from .rounding import round_half_up


@dataclass(frozen=True, eq=False, slots=True)
class Probability:
    """The stage of a configuration; ``formats`` says what is dropped and what saturates."""

    reciprocal: Reciprocal
    formats: Normalize

    @classmethod
    def of(cls, config: SoftmaxConfig, device: torch.device) -> "Probability":
        return cls(Reciprocal.of(config, device), Normalize.of(config))

    def __call__(self, elements: Elements, exponent: Tensor) -> Tensor:
        """Codes of p * 2**exponent, no more than ``one``."""
        r, q = self.reciprocal(elements.total)
        bits = self.formats.drop + elements.shift + (q - exponent)
        bits = bits.clamp(max=self.formats.product_bits + 1)  # beyond, all is 0
        return round_half_up(elements.mantissa * r, bits).clamp(0, self.formats.one)


@dataclass(frozen=True, eq=False, slots=True)
class Logarithm:
    """log p; the lowest code for an element that takes no part."""

    log: LogProbability
    lowest: int

    @classmethod
    def of(cls, config: SoftmaxConfig, device: torch.device) -> "Logarithm":
        log = LogProbability.of(config, config.output, device)
        return cls(log, config.output.min_code)

    def __call__(self, elements: Elements, exponent: Tensor) -> Tensor:
        """Codes of log p, which has no exponent."""
        codes = self.log.rounded(elements.distance, elements.total)
        return torch.where(elements.active, codes.clamp(self.lowest, 0), self.lowest)


def output_stage(config: SoftmaxConfig, device: torch.device) -> Probability | Logarithm:
    """The last stage of a configuration."""
    kind = Logarithm if config.function == "log_softmax" else Probability
    return kind.of(config, device)
