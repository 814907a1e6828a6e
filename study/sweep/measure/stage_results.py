"""What the stages of configurations give for the rows of one source, each distinct stage once.

The stages are the golden model's own; here is only what each of them depends on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....golden.config import SoftmaxConfig
from ....golden.measures.exact import clipped_values, exact_softmax
from ....golden.measures.ragged import Ragged
from ....golden.rows import LogitRows
from ....golden.stages.leading_one import RowSums
from ....golden.stages.probability import Elements, Probability, output_stage
from ....golden.stages.row_exponent import RowExponent
from ....golden.types import Bits, Codes, Reals
from ....golden.units.softmax import exponentials
from .kept import Kept

MOST = 16
"""Results kept of each stage: a megabyte or so each for 100,000 elements."""

Key = tuple[Any, ...]


def clipped_key(config: SoftmaxConfig) -> Key:
    """What the values of the clipped codes depend on."""
    return config.input, config.range, config.clip, config.scale


def exp_key(config: SoftmaxConfig) -> Key:
    """What exponentials and sums depend on."""
    widths = config.widths
    of_exp = widths.exp_split, widths.exp_bits, widths.mantissa_bits, widths.sum_fraction
    return *clipped_key(config), config.datapath, config.path.window, *of_exp


def output_key(config: SoftmaxConfig) -> Key:
    """What probabilities depend on."""
    widths = config.widths
    of_table = widths.reciprocal_bits, widths.reciprocal_index, widths.reciprocal_step
    return *exp_key(config), *of_table, config.output, config.output_exponent


@dataclass(frozen=True, eq=False, slots=True)
class Exponentials:
    """The first stages' results: elements and clipped flags flat, sums (R, 1)."""

    elements: Elements
    total: RowSums
    clipped: Bits


class StageResults:
    """The stages of any configuration on some rows.

    Attributes:
        layout: of the rows. Flat arrays hold their active elements.
    """

    def __init__(self, rows: LogitRows) -> None:
        self.rows, self.layout = rows, Ragged(rows)
        self._codes: Kept[Codes] = Kept(MOST)
        self._exponentials: Kept[Exponentials] = Kept(MOST)
        self._p: Kept[Codes] = Kept(MOST)
        self._exponents: Kept[Codes] = Kept(MOST)
        self._of_codes: Kept[Reals] = Kept(MOST)
        self._of_logits: Kept[Reals] = Kept(MOST)

    def codes(self, config: SoftmaxConfig) -> Codes:
        """The logits as codes of the input format, padded.

        Raises:
            ValueError: a row longer than ``config.max_length``.
        """
        key = config.input, config.max_length
        return self._codes.of(key, lambda: self.rows.codes(config))

    def exponentials(self, config: SoftmaxConfig) -> Exponentials:
        """exp of every element, and the sum of every row."""

        def compute() -> Exponentials:
            elements, total, clipped = exponentials(self.codes(config), self.rows.active, config)
            flat = self.layout.flat
            parts = elements.distance, elements.mantissa, elements.shift, elements.active
            return Exponentials(Elements(*map(flat, parts)), total, flat(clipped))

        return self._exponentials.of(exp_key(config), compute)

    def probabilities(self, config: SoftmaxConfig) -> Codes:
        """Codes of the output format, flat; of p times :meth:`ones`."""

        def compute() -> Codes:
            stage, given = output_stage(config), self.exponentials(config)
            assert isinstance(stage, Probability), "log_softmax has no probabilities"
            # one reciprocal a row, not one an element
            r, q = (self.layout.spread(part[:, 0]) for part in stage.reciprocal(given.total))
            q = q - self.layout.spread(self.exponents(config))
            return stage.normalize(given.elements.mantissa, given.elements.shift, r, q)

        return self._p.of(output_key(config), compute)

    def exponents(self, config: SoftmaxConfig) -> Codes:
        """The exponent of every row, (R,); 0 where rows have none."""
        filled = np.zeros(len(self.rows.lengths), bool)
        if not config.has_exponent:
            return filled.astype(np.int64)

        def compute() -> Codes:
            given = self.exponentials(config)
            nearest = -self.layout.largest(-given.elements.distance)
            exponents = RowExponent.of(config)(nearest[:, None], given.total)[:, 0]
            filled[self.layout.filled] = True
            return np.where(filled, exponents, 0)

        return self._exponents.of(output_key(config), compute)

    def ones(self, config: SoftmaxConfig) -> Reals:
        """What each element is multiplied by, flat: 2**exponent of its row."""
        return self.layout.spread(np.ldexp(1.0, self.exponents(config)))

    def exact_of_codes(self, config: SoftmaxConfig) -> Reals:
        """Exact softmax of the clipped codes, flat: what the bound is about."""

        def compute() -> Reals:
            values = clipped_values(self.codes(config), self.rows.active, config)
            return self.layout.flat(exact_softmax(values, self.rows.active))

        return self._of_codes.of(clipped_key(config), compute)

    def exact_of_logits(self, scale: float) -> Reals:
        """float64 softmax of the original logits, flat."""

        def compute() -> Reals:
            return self.layout.flat(exact_softmax(self.rows.values * scale, self.rows.active))

        return self._of_logits.of(scale, compute)
