"""What the backward unit of a configuration does to the recorded gradients of a source."""

from dataclasses import dataclass

import numpy as np

from ....golden.config import SoftmaxConfig
from ....golden.formats import Format
from ....golden.measures.backward_metrics import BackwardMetrics, Gradients, backward_errors
from ....golden.measures.catalogue import columns
from ....golden.measures.exact import exact_backward
from ....golden.measures.ragged import Ragged
from ....golden.stages.dither import random_bits
from ....golden.stages.gradient import Gradient
from ....golden.types import Codes, Reals
from ....golden.units.softmax_backward import backward_stage
from ....sim.sidecar import ROUNDING_SEED
from .kept import Kept
from .sources import Source
from .stage_results import MOST, StageResults, output_key

DITHER_BITS = 32
"""Random bits of an element; a stage uses the last ones."""


@dataclass(frozen=True, slots=True)
class Powers:
    """The powers of two that dP, and with it every error of a gradient, is multiplied by."""

    power_min: int
    power_max: int


@dataclass(frozen=True, eq=False, slots=True)
class Upstream:
    """Gradients as one format holds them, flat but for ``padded``.

    Attributes:
        codes: of dP. values: what the codes are, in float64. padded: the codes, padded.
        given: dP before it was quantised, scaled.
    """

    codes: Codes
    values: Reals
    padded: Codes
    given: Reals


class BackwardMeter:
    """Measures gradients of the rows that have upstream gradients.

    Attributes:
        layout: of those rows. Flat arrays hold their active elements.
    """

    def __init__(self, source: Source, stages: StageResults) -> None:
        self._source, self._stages = source, stages
        chosen = source.with_gradients
        self.layout = Ragged(source.logits.take(chosen))
        # of the flat arrays of all rows
        self._elements = np.flatnonzero(np.isin(stages.layout.row, chosen))
        self._upstream: Kept[Upstream] = Kept(MOST)
        self._exact: Kept[Reals] = Kept(MOST)
        self._exact_of_p: Kept[Reals] = Kept(MOST)
        self._dither: Kept[Codes] = Kept(1)

    def measure(self, config: SoftmaxConfig) -> dict[str, float]:
        """The figures of one configuration.

        Raises:
            ConfigError: gradient formats that cannot work.
        """
        upstream = self._gradients_in(config.grad_input)
        p = self._stages.probabilities(config)[self._elements]
        clipped = self._stages.exponentials(config).clipped[self._elements]
        stage, fmt = backward_stage(config), config.grad_output
        exponent = self._stages.exponents(config)[self._source.with_gradients]
        one = self.layout.spread(np.ldexp(1.0, exponent))
        d, beyond = stage.dot(self.layout.padded(p), upstream.padded, exponent[:, None])
        d, beyond = self.layout.spread(d[:, 0]), self.layout.spread(beyond[:, 0])
        dropped = clipped & (config.clip_gradient == "zero")
        ds, saturated = stage(np.where(dropped, 0, p), upstream.codes, d, self._random_bits(stage))

        exact = self._exact_of_codes(config, p / one, upstream.values) * one
        given = Gradients(
            ds,
            clipped,
            saturated | beyond,
            beyond,
            errors=np.where(beyond, 0.0, backward_errors(ds, exact, clipped, config)),
            apart=fmt.to_float(ds) / one - self._exact_of_logits(config, upstream.given),
        )
        figures = BackwardMetrics.of(given), self.powers(config.grad_input)
        return columns("softmax_backward", *figures)

    def powers(self, fmt: Format) -> Powers:
        """Those by which the gradients fit a format, see :meth:`.sources.Source.powers`."""
        powers = self._source.powers(fmt)[self._source.with_gradients]
        return Powers(int(powers.min()), int(powers.max()))

    def exact(self, p: Reals, dp: Reals) -> Reals:
        """P (dP - sum P dP) in float64, flat."""
        return exact_backward(p, dp, self.layout)

    def of_all(self, flat: np.ndarray) -> np.ndarray:
        """Of a flat array of all rows, the elements of the rows that have gradients."""
        return flat[self._elements]

    def scaled(self, fmt: Format) -> Reals:
        """dP by the powers of two that fit a format, flat."""
        _, dp = self._source.scaled_gradients(fmt)
        return self.layout.flat(dp)

    def _gradients_in(self, fmt: Format) -> Upstream:
        def compute() -> Upstream:
            given = self.scaled(fmt)
            codes = fmt.quantize(given)
            return Upstream(codes, fmt.to_float(codes), self.layout.padded(codes), given)

        return self._upstream.of(fmt, compute)

    def _exact_of_codes(self, config: SoftmaxConfig, p: Reals, dp: Reals) -> Reals:
        """What dS is compared with: exact for the codes of P and dP."""
        key = output_key(config), config.grad_input
        return self._exact_of_p.of(key, lambda: self.exact(p * config.output.lsb, dp))

    def _exact_of_logits(self, config: SoftmaxConfig, dp: Reals) -> Reals:
        """float64 gradient of the original logits and dP."""

        def compute() -> Reals:
            return self.exact(self._stages.exact_of_logits(config.scale)[self._elements], dp)

        return self._exact.of((config.scale, config.grad_input), compute)

    def _random_bits(self, stage: Gradient) -> Codes | None:
        """Of each element, by its row's number among those that the unit is given."""
        if stage.rounding == "nearest":
            return None

        def compute() -> Codes:
            column = self.layout.place % self.layout.shape[1]
            return random_bits(ROUNDING_SEED, self.layout.row, column, DITHER_BITS)

        return self._dither.of((), compute) & ((1 << stage.drop) - 1)
