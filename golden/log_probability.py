"""The logarithm of an element's probability: -(difference * scale) - ln of its row's sum."""

from dataclasses import dataclass

from .config import SoftmaxConfig
from .exact import table
from .formats import Codes, saturate
from .ln import LnTable, ln_table

GUARD = 4
"""Bits that difference and ln keep beyond those of the output."""


@dataclass(frozen=True, eq=False)
class LogProbability:
    """log p = -(u * factor + ln S), rounded half up once, saturated to the output format.

    Attributes:
        factor: one LSB of difference in units of 2**-factor_fraction output LSB.
        factor_fraction: fraction bits of the factor; as many as make u * factor exact to a
            sixteenth of an output LSB for every difference.
        ln: the ln stage, GUARD bits finer than the output.
        lowest: the output's lowest code.
    """

    factor: int
    factor_fraction: int
    ln: LnTable
    lowest: int

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "LogProbability":
        step = config.scale * config.input.lsb * 2.0**config.output.f
        fraction = GUARD + config.farthest.bit_length()
        return cls(
            factor=int(table(lambda _: step * 2.0**fraction, [0])[0]),
            factor_fraction=fraction,
            ln=ln_table(config, config.output.f + GUARD),
            lowest=config.output.min_code,
        )

    def __call__(self, distance: Codes, total: Codes) -> Codes:
        """Output codes of differences (saturated at the span) and their rows' sums."""
        scaled = (distance * self.factor) >> (self.factor_fraction - GUARD)
        rounded = (scaled + self.ln(total) + (1 << (GUARD - 1))) >> GUARD
        return saturate(-rounded, self.lowest, 0)
