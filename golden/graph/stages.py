"""What the stages of the units hold of a row of logits, as nodes of their graphs."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..stages.accumulate import row_sum
from ..stages.clip import clip
from ..stages.leading_one import RowSums
from ..stages.log_probability import GUARD, LogProbability
from ..stages.probability import Elements
from ..stages.reciprocal import reciprocal_table
from ..stages.row_max import row_max
from ..stages.window import LIMB_BITS, WindowSum
from ..types import Codes, Reals
from ..units.softmax import exponentials
from .fixed import Fixed
from .narrowest import narrowest

HardwareValues = dict[str, Fixed]
"""What the hardware holds of nodes, by name."""


def clip_text(config: SoftmaxConfig | None) -> tuple[str, str]:
    """The line that clips x, and what the clipped logits are called."""
    if config is None or config.clip == "difference":
        return "", "x"
    return f"c = {_limit(config)}(x, {-config.range!r}, {config.range!r})\n", "c"


def distance_text(config: SoftmaxConfig | None) -> tuple[str, str]:
    """The lines that lead from x to the distances of its elements, and what those are called.

    Distances are from the row's maximum, or from a constant that the datapath has for it.
    """
    lines, c = clip_text(config)
    if config is None:
        return "m = max(x)\nd = x - m\n", "d"
    if config.path.origin is not None:
        lines += f"d = {c} - {config.path.origin * config.input.lsb!r}\n"
    elif config.clip == "input":
        lines += f"m = max({c})\nd = {c} - m\n"
    else:
        lines += f"m = max(x)\nd = {_limit(config)}(x - m, {-2 * config.range!r}, 0)\n"
    return (lines, "d") if config.scale == 1 else (f"{lines}z = d * {config.scale!r}\n", "z")


def _limit(config: SoftmaxConfig) -> str:
    """The function that clips, by what it does to the gradient."""
    return "clip" if config.clip_gradient == "zero" else "saturate"


def clipped_codes(codes: Codes, config: SoftmaxConfig) -> Codes:
    """Codes of the logits, clipped where ``clip`` says that they are."""
    return clip(codes, config.range_code)[0] if config.clip == "input" else codes


@dataclass(frozen=True, eq=False, slots=True)
class RowStages:
    """The stages of one row.

    Attributes:
        codes: of the logits. elements, total: what the stages up to the sum give.
        clipped: some element was.
    """

    config: SoftmaxConfig
    codes: Codes
    elements: Elements
    total: RowSums
    clipped: bool

    @classmethod
    def of(cls, x: Reals, config: SoftmaxConfig) -> "RowStages":
        """The stages of a row of logits, as long as the configuration takes."""
        codes = config.input.quantize(x)
        active = np.ones((1, len(codes)), bool)
        elements, total, clipped = exponentials(codes[None], active, config)
        return cls(config, codes, elements, total, bool(clipped.any()))

    def hardware_values(self) -> HardwareValues:
        """c, m, d, e and s."""
        config = self.config
        clipped = clipped_codes(self.codes, config)
        maximum = row_max(clipped, np.ones(len(clipped), bool), config.input.min_code)
        farthest = narrowest(-config.path.farthest * config.input.lsb, 0.0, config.input.f)
        bits = config.widths.mantissa_bits
        return {
            "c": Fixed.of_codes(clipped, config.input, config.input.f),
            "m": Fixed.of_codes(maximum, config.input, config.input.f),
            "d": Fixed.of_codes(-self.elements.distance[0], str(farthest), config.input.f),
            "e": Fixed.of_mantissa(
                self.elements.mantissa[0], self.elements.shift[0], 1, bits - 1, "k"
            ),
            "s": self._sum(),
        }

    def _sum(self) -> Fixed:
        """The sum, a window's as its bits from limb T - 1 up."""
        config, fraction = self.config, self.config.widths.sum_fraction
        total = self.total[0]
        if isinstance(total, WindowSum):
            fraction -= (int(total.top[0]) - 1) * LIMB_BITS
            codes = (total.high << LIMB_BITS) + total.low
        else:
            codes = np.asarray(total)
        bits = row_sum(config).sum_bits
        return Fixed.of_codes(codes, f"UQ({bits - fraction}, {fraction})", fraction)

    def reciprocal(self) -> Fixed:
        """1/S."""
        table = reciprocal_table(self.config)
        r, q = table(self.total[0])
        return Fixed.of_mantissa(r, q, 0, table.bits, "q")

    def logarithm(self, log: LogProbability, f: int) -> Fixed:
        """ln S, finer than the ``f`` fraction bits of what it is part of."""
        fine = f + GUARD
        kind = "SQ" if log.ln.signed else "UQ"
        return Fixed.of_codes(log.ln(self.total[0]), f"{kind}({log.ln.width - fine}, {fine})", fine)

    def scaled(self, log: LogProbability, f: int) -> Fixed:
        """The distances times ``scale``, as fine as the logarithm."""
        fine, config = f + GUARD, self.config
        farthest = -config.path.farthest * config.input.lsb * config.scale
        return Fixed.of_codes(
            -log.scaled(self.elements.distance[0]), str(narrowest(farthest, 0.0, fine)), fine
        )
