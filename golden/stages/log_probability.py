"""The logarithm of an element's probability: -(difference * scale) - ln of its row's sum."""

from dataclasses import dataclass
from math import ceil, log2

from ..config import SoftmaxConfig
from ..errors import require
from ..formats import Format, saturate
from ..types import Codes
from .exact import table
from .leading_one import RowSums
from .ln import LnTable, ln_table

PRODUCT_BITS = 63
"""Bits that a product may have in the golden model's integers, besides its sign."""
GUARD = 4
"""Bits that difference and ln keep beyond those of the output."""


@dataclass(frozen=True, eq=False)
class LogProbability:
    """log p = -(u * factor + ln S), rounded half up once, saturated to a format.

    Attributes:
        factor: one LSB of difference in units of 2**-factor_fraction LSB of the format.
        factor_fraction: fraction bits of the factor; as many as make u * factor exact to a
            sixteenth of an LSB for every difference.
        ln: the ln stage, GUARD bits finer than the format.
        lowest: the format's lowest code.
    """

    factor: int
    factor_fraction: int
    ln: LnTable
    lowest: int

    @classmethod
    def of(cls, config: SoftmaxConfig, output: Format) -> "LogProbability":
        """The stage of a configuration, for results of a format.

        Raises:
            ConfigError: a product of distance and factor wider than the golden model's integers.
        """
        step = config.scale * config.input.lsb * 2.0**output.f
        fraction = GUARD + config.path.farthest.bit_length()
        bits = config.path.farthest.bit_length() + max(ceil(log2(step)) + fraction, 0)
        require(
            bits <= PRODUCT_BITS,
            f"range, scale and the fraction bits of {output} must have logarithms of at most "
            f"{PRODUCT_BITS} bits inside, not {bits}",
        )
        return cls(
            factor=int(table(lambda _: step * 2.0**fraction, [0])[0]),
            factor_fraction=fraction,
            ln=ln_table(config, output.f + GUARD),
            lowest=output.min_code,
        )

    def scaled(self, distance: Codes) -> Codes:
        """Differences times the factor, GUARD bits finer than the format."""
        return (distance * self.factor) >> (self.factor_fraction - GUARD)

    def __call__(self, distance: Codes, total: RowSums) -> Codes:
        """Output codes of differences (saturated at the span) and their rows' sums."""
        total_log = self.scaled(distance) + self.ln(total)
        rounded = (total_log + (1 << (GUARD - 1))) >> GUARD
        return saturate(-rounded, self.lowest, 0)
