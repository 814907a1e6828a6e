"""The cross-entropy of a row: ln S and the target's distance, added up and rounded once."""

from dataclasses import dataclass
from functools import lru_cache
from math import floor, log, log2

from ..config import SoftmaxConfig
from ..errors import require
from ..formats import Format, saturate
from ..types import Codes
from .leading_one import RowSums
from .log_probability import GUARD, PRODUCT_BITS, LogProbability

WEIGHT_FRACTION = 24
"""Fraction bits of a class' weight; an index has the weight 1."""
SLACK = 0.01
"""Bits by which rounded weights of a row may add up to more than 1."""


@dataclass(frozen=True, eq=False, slots=True)
class Loss:
    """L = sum z (ln S + u * factor), z the weights of the classes; never negative.

    Attributes:
        log: the stage of log p, in units of 2**-GUARD of the loss' LSB.
        output: format of the loss.
    """

    log: LogProbability
    output: Format

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Loss":
        """The stage of a configuration.

        Raises:
            ConfigError: a loss format that the largest loss does not fit or whose weighted losses
                are wider than the golden model's integers, or ``log_softmax``.
        """
        require(
            config.function == "softmax",
            f"function must be softmax for cross_entropy, not {config.function}",
        )
        # rounded, the largest loss is less than an LSB larger
        most = 2 * config.range * config.scale + log(config.max_length) + config.loss.lsb
        require(
            most < 2.0**config.loss.i,
            f"loss must hold 2 * range * scale + ln max_length and an LSB, {most:.2f}, not "
            f"{config.loss}",
        )
        fraction = floor(PRODUCT_BITS - log2(most) - SLACK) - GUARD - WEIGHT_FRACTION
        require(
            config.loss.f <= fraction,
            f"loss must have at most {fraction} fraction bits, so that weighted losses of up to "
            f"{most:.2f} fit {PRODUCT_BITS} bits, not {config.loss}",
        )
        return cls(LogProbability.of(config, config.loss), config.loss)

    def __call__(self, distance: Codes, total: RowSums) -> Codes:
        """Losses of rows whose target has the weight 1, from its distance."""
        return self._rounded(self.log.scaled(distance) + self.log.ln(total), GUARD)

    def weighted(self, z: Codes, distance: Codes, total: RowSums) -> Codes:
        """Losses of rows with a weight for each class, in units of 2**-WEIGHT_FRACTION; over the
        last axis, kept as length 1. One class of weight 1 gives what :meth:`__call__` does.
        """
        terms = z * (self.log.scaled(distance) + self.log.ln(total))
        return self._rounded(terms.sum(axis=-1, keepdims=True), GUARD + WEIGHT_FRACTION)

    def _rounded(self, fine: Codes, bits: int) -> Codes:
        rounded = (fine + (1 << (bits - 1))) >> bits
        return saturate(rounded, 0, self.output.max_code)


@lru_cache(maxsize=64)
def loss_stage(config: SoftmaxConfig) -> Loss:
    """The loss stage of a configuration."""
    return Loss.of(config)
