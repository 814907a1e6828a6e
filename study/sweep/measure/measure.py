"""Measure configurations on one source: the golden model's bits and figures, many times a second.

Every figure equals what the golden metrics give for the same configuration and rows, and so what
``softmaxfx sim --json`` prints. It is faster because what configurations have in common (codes,
exponentials, sums, float64 references, bounds) is computed once, and nothing is computed for the
padding of short rows.
"""

from ....golden.config import SoftmaxConfig
from ....golden.errors import require
from ....golden.measures.catalogue import columns
from ....golden.measures.metrics import Agreement, Metrics, Probabilities, output_errors
from ....golden.proofs.mass import mass_bound
from .kept import Kept
from .loss import LossMeter
from .proven import backward_bound, cross_entropy_bound, softmax_bound
from .softmax_backward import BackwardMeter
from .sources import Source
from .stage_results import StageResults, output_key

MOST = 4096
"""Configurations whose figures of the probabilities are kept: a dozen numbers each."""


class Meter:
    """Measures any configuration on the rows of one source.

    Raises:
        ValueError: a source whose elements are all masked.
    """

    def __init__(self, source: Source) -> None:
        if not source.logits.active.any():
            raise ValueError(
                f"source {source.name} must have at least one element that is not masked"
            )
        self.source, self.stages = source, StageResults(source.logits)
        self._best = self.stages.layout.is_largest(self.stages.layout.flat(source.logits.values))
        self._loss = None if source.targets is None else LossMeter(source, self.stages)
        self._gradients = BackwardMeter(source, self.stages) if source.has_gradients else None
        self._figures: Kept[dict[str, float]] = Kept(MOST)

    def measure(self, config: SoftmaxConfig, *, bound: bool = True) -> dict[str, float]:
        """The figures of a configuration, by name.

        :mod:`golden.measures.catalogue` says what each of them means. A figure of nothing is not
        among them.

        Args:
            bound: the proven bounds too.

        Raises:
            ConfigError: ``log_softmax``, or a unit that cannot be built.
            ValueError: a row longer than ``max_length``.
        """
        require(
            config.function == "softmax",
            f"function must be softmax to be measured in a sweep, not {config.function}",
        )
        self.stages.codes(config)  # refuses rows that are too long, whatever else is kept
        bounds = self._bounds(config) if bound else {}
        figures = self._figures.of(output_key(config), lambda: self._softmax(config))
        of_loss = self._loss.measure(config) if self._loss else {}
        of_gradients = self._gradients.measure(config) if self._gradients else {}
        return bounds | figures | of_loss | of_gradients

    def _bounds(self, config: SoftmaxConfig) -> dict[str, float]:
        bounds = {"bound_ulp": softmax_bound(config), "mass_bound": mass_bound(config)}
        if self._loss:
            bounds["loss_bound_ulp"] = cross_entropy_bound(config)
        if self._gradients:
            bounds["backward_bound_ulp"] = backward_bound(config)
        return bounds

    def _softmax(self, config: SoftmaxConfig) -> dict[str, float]:
        """The figures of the probabilities."""
        p, exact = self.stages.probabilities(config), self.stages.exact_of_codes(config)
        one = self.stages.ones(config)
        given = Probabilities(
            self.stages.layout,
            config.output.to_float(p) / one,
            self.stages.exact_of_logits(config.scale),
            self.stages.exponentials(config).clipped,
            floor=config.output.lsb / 2 / one,
            errors=output_errors(p, exact * one, config),
        )
        return columns("softmax", Metrics.of(given), Agreement.of(given, self._best))
