"""dS = P (dP - D): the gradient of an element's logit, from D of its row."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ....config import SoftmaxConfig
from ....stages import gradient as golden
from ....units.softmax_backward import backward_stage
from .dither import random_bits
from .dot import dot
from .rounding import drop_half_up


@dataclass(frozen=True, slots=True)
class Nearest:
    """Rounds half up."""

    def __call__(self, product: Tensor, drop: int, first_row: int) -> Tensor:
        return drop_half_up(product, drop)


@dataclass(frozen=True, slots=True)
class Stochastic:
    """Rounds up with the probability of the fraction that is dropped."""

    seed: int

    def __call__(self, product: Tensor, drop: int, first_row: int) -> Tensor:
        row = torch.arange(len(product), device=product.device)[:, None] + first_row
        element = torch.arange(product.shape[-1], device=product.device)
        return (product + random_bits(self.seed, row, element, drop)) >> drop


@dataclass(frozen=True, eq=False, slots=True)
class Gradient:
    """The stages of a configuration; ``formats`` says what is dropped and what saturates."""

    formats: golden.Gradient
    rounding: Nearest | Stochastic

    @classmethod
    def of(cls, config: SoftmaxConfig, seed: int) -> "Gradient":
        """Raises ``ConfigError`` as :func:`.backward_stage` does."""
        rounding = Nearest() if config.rounding == "nearest" else Stochastic(seed)
        return cls(backward_stage(config), rounding)

    def __call__(self, p: Tensor, dp: Tensor, exponent: Tensor, first_row: int) -> Tensor:
        """Codes of ``grad_output``; ``first_row`` is the first row's number."""
        guard = self.formats.dot.output.f - self.formats.dot.dp.f
        product = p * ((dp << guard) - dot(p, dp, exponent, self.formats.dot))
        fmt = self.formats.output
        rounded = self.rounding(product, self.formats.drop, first_row)
        return rounded.clamp(fmt.min_code, fmt.max_code)
