"""D, the sum of P dP over a row: exact, then rounded to little more than dP's fraction, once."""

from dataclasses import dataclass

from ..config import SoftmaxConfig
from ..errors import require
from ..formats import SQ, Format, round_half_up, saturate
from ..types import Codes

SUM_BITS = 63
"""Widest sum that the golden model's integers hold, the sign included."""
FACTOR_BITS = 18
"""Widest factor that one hardware multiplier takes."""


@dataclass(frozen=True, slots=True)
class Dot:
    """Sums products of a row without loss, rounds the sum half up, and saturates it.

    D is an average of dP with the weights P, so it lies within dP's range but for the rounding of
    P, whose sum can exceed 1. Twice the range is kept where dP - D then still fits one hardware
    multiplier.

    Attributes:
        p, dp: formats of the factors. max_length: products that the sum can hold.
        output: format of D.
    """

    p: Format
    dp: Format
    max_length: int
    output: Format

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Dot":
        """The stage of a configuration.

        Raises:
            ConfigError: a sum wider than the golden model's integers, or a D that is finer than
                its sum.
        """
        p, dp = config.output, config.grad_input
        require(
            config.dot_guard <= p.f,
            f"dot_guard must be at most the {p.f} fraction bits of output, not {config.dot_guard}",
        )
        wide = dp.width + config.dot_guard + 2 <= FACTOR_BITS
        output = SQ(dp.i + wide, dp.f + config.dot_guard)
        stage = cls(p, dp, config.max_length, output)
        require(
            stage.sum_bits <= SUM_BITS,
            f"grad_input, output and max_length must have a sum of products of at most {SUM_BITS} "
            f"bits, not {stage.sum_bits} ({dp}, {p}, {config.max_length})",
        )
        return stage

    @property
    def sum_bits(self) -> int:
        """Width of the exact sum of ``max_length`` full-scale products, the sign included."""
        return (self.max_length * self.p.max_code << (self.dp.width - 1)).bit_length() + 1

    @property
    def drop(self) -> int:
        """Bits dropped from the exact sum."""
        return self.p.f + self.dp.f - self.output.f

    @property
    def difference(self) -> Format:
        """Format of dP - D."""
        return SQ(self.output.i + 1, self.output.f)

    def __call__(self, p: Codes, dp: Codes, exponent: Codes | int = 0) -> tuple[Codes, Codes]:
        """(D, whether it was saturated) over the last axis, kept as length 1.

        Args:
            exponent: of each row: p are codes of P * 2**exponent.
        """
        total = round_half_up((p * dp).sum(axis=-1, keepdims=True), self.drop + exponent)
        d = saturate(total, self.output.min_code, self.output.max_code)
        return d, d != total
