"""The probability of an element: its mantissa times the reciprocal of its row's sum."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..errors import require
from ..formats import round_half_up, saturate
from ..types import Codes
from .accumulate import leading_zeros


@dataclass(frozen=True, slots=True)
class Normalize:
    """p = m * r, shifted and rounded half up once, never above 1.

    Attributes:
        mantissa_bits, reciprocal_bits: widths of the two factors.
        fraction: fraction bits of the output.
        one: the largest output code.
    """

    mantissa_bits: int
    reciprocal_bits: int
    fraction: int
    one: int

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Normalize":
        """The stage of a configuration.

        Raises:
            ConfigError: widths set by hand whose product has fewer fraction bits than the output.
        """
        widths = config.widths
        stage = cls(widths.mantissa_bits, widths.reciprocal_bits, config.output.f, config.one)
        lost = leading_zeros(config)
        require(
            stage.drop >= lost,
            f"mantissa_bits + reciprocal_bits must be at least {config.output.f + 1 + lost} where "
            f"the exp tables cost the mantissa {lost} leading bits, not {stage.product_bits}",
        )
        return stage

    @property
    def product_bits(self) -> int:
        return self.mantissa_bits + self.reciprocal_bits

    @property
    def drop(self) -> int:
        """Bits dropped from the product of two factors with shift 0."""
        return self.product_bits - 1 - self.fraction

    def __call__(self, mantissa: Codes, shift: Codes, r: Codes, q: Codes) -> Codes:
        """Output codes of exp's (m, k) and the reciprocal's (r, q)."""
        bits = np.minimum(self.drop + shift + q, self.product_bits + 1)  # beyond, all is 0
        return saturate(round_half_up(mantissa * r, bits), 0, self.one)
