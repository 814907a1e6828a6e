"""The gradient of the cross-entropy: p - y, where p = 1 is reached exactly."""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

from ..config import SoftmaxConfig
from ..formats import Format, round_half_up, saturate
from ..types import Codes
from .leading_one import RowSums
from .loss import WEIGHT_FRACTION
from .normalize import Normalize
from .probability import Elements
from .reciprocal import ReciprocalTable, reciprocal_table


@dataclass(frozen=True, eq=False, slots=True)
class Residual:
    """p less the weights z of the classes, p as the softmax unit gives it but for p = 1; both times
    2**exponent of the row, where it has one.

    There, 1 has no code where the output has no integer bit; here it has, so that the gradient of a
    sure and right row is 0. The residual of a wrong class with p = 1 saturates to the
    output's largest code.

    Attributes:
        output: format of the residual. normalize: its ``one`` is 1.
    """

    reciprocal: ReciprocalTable
    normalize: Normalize
    output: Format

    def __call__(
        self, elements: Elements, total: RowSums, z: Codes, exponent: Codes | int = 0
    ) -> Codes:
        """Residuals p * sum z - z for weights in units of 2**-WEIGHT_FRACTION, rounded half up
        once; for one class of weight 1 there is nothing to round."""
        p = self._p(elements, total, exponent)
        fine = p * z.sum(axis=-1, keepdims=True) - (z << self.output.f + exponent)
        residual = round_half_up(fine, WEIGHT_FRACTION)
        return saturate(residual, self.output.min_code, self.output.max_code)

    def before_target(self, elements: Elements, total: RowSums, exponent: Codes | int = 0) -> Codes:
        """p of rows of which no target is known yet, in the format of the residuals."""
        return saturate(
            self._p(elements, total, exponent), self.output.min_code, self.output.max_code
        )

    def _p(self, elements: Elements, total: RowSums, exponent: Codes | int) -> Codes:
        r, q = self.reciprocal(total)
        return self.normalize(elements.mantissa, elements.shift, r, q - exponent)


@lru_cache(maxsize=64)
def residual_stage(config: SoftmaxConfig) -> Residual:
    """The residual stage of a configuration."""
    exact = dataclasses.replace(Normalize.of(config), one=1 << config.output.f)
    return Residual(reciprocal_table(config), exact, config.loss_grad)
