"""dS = P (dP - D): the gradient of an element's logit, from D of its row."""

from dataclasses import dataclass

import numpy as np

from ..config import Rounding, SoftmaxConfig
from ..errors import require
from ..formats import Format, round_half_up, saturate
from ..types import Bits, Codes
from .dot import SUM_BITS, Dot


@dataclass(frozen=True, slots=True)
class Gradient:
    """The product of P and dP - D, rounded once and saturated.

    Attributes:
        dot: the stage that D comes from.
        output: format of dS.
        rounding: ``"nearest"`` (half up), or ``"stochastic"``: up with the probability of the
            fraction that is dropped.
    """

    dot: Dot
    output: Format
    rounding: Rounding

    @classmethod
    def of(cls, config: SoftmaxConfig) -> "Gradient":
        """The stage of a configuration.

        Raises:
            ConfigError: an output that is finer than the product, a product wider than the golden
                model's integers, or ``log_softmax``, whose gradient is another.
        """
        require(
            config.function == "softmax",
            f"function must be softmax for softmax_backward, not {config.function}",
        )
        stage = cls(Dot.of(config), config.grad_output, config.rounding)
        require(
            1 <= stage.drop <= 32,
            f"grad_output must drop 1 to 32 bits of P (dP - D), which has {stage.product_fraction} "
            f"fraction bits, not {stage.drop} ({config.grad_output})",
        )
        require(
            stage.product_bits <= SUM_BITS,
            f"output, grad_input and dot_guard must have P (dP - D) of at most {SUM_BITS} bits, "
            f"not {stage.product_bits} ({config.output}, {config.grad_input}, {config.dot_guard})",
        )
        return stage

    @property
    def product_bits(self) -> int:
        """Width of the product, a bit for its rounding included."""
        return self.dot.p.width + self.dot.difference.width + 1

    @property
    def product_fraction(self) -> int:
        """Fraction bits of the product."""
        return self.dot.p.f + self.dot.output.f

    @property
    def drop(self) -> int:
        """Bits dropped from the product."""
        return self.product_fraction - self.output.f

    def __call__(
        self, p: Codes, dp: Codes, d: Codes, bits: Codes | None = None
    ) -> tuple[Codes, Bits]:
        """(dS, whether it was saturated).

        Args:
            d: D of each row, codes of the dot stage's output.
            bits: random integers of ``drop`` bits where the rounding is stochastic.
        """
        guard = self.dot.output.f - self.dot.dp.f
        product = p * ((dp << guard) - d)
        if self.rounding == "nearest":
            rounded = round_half_up(product, self.drop)
        else:
            assert bits is not None, "stochastic rounding needs random bits"
            rounded = (product + bits) >> self.drop
        ds = saturate(rounded, self.output.min_code, self.output.max_code)
        return ds, np.not_equal(ds, rounded)
