"""Every output of a unit, compared with every float reference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..golden.config import SoftmaxConfig
from ..golden.measures.metrics import probabilities
from ..golden.measures.summary import largest_of, mean_of, within
from ..golden.proofs.bias import bias_ulp
from ..golden.proofs.bounds import bound_ulp
from ..golden.proofs.gradient import backward_bound_ulp
from ..golden.proofs.loss import loss_bound
from ..golden.proofs.mass import mass_bound
from ..golden.rows import LogitRows
from ..golden.torch.gradient_reference import compare_backward, compare_cross_entropy
from ..golden.torch.reference import Comparison, compare
from ..golden.units.softmax import softmax_rows


@dataclass(frozen=True, slots=True)
class Mass:
    """What rounding does to the sum of a row's probabilities, and to their mean.

    Attributes:
        error: largest |sum p - 1| of a row with an active element; ``None`` of none.
        bound: what it is never above, proven, see :func:`.mass.mass_bound`.
        bias: mean p - exact p of the rows' elements, in output LSB. codes_bias: over all codes, see
            :func:`.bias.bias_ulp`.
    """

    error: float | None
    bound: float
    bias: float | None
    codes_bias: float

    @classmethod
    def of(cls, config: SoftmaxConfig, rows: LogitRows) -> "Mass":
        """Of the golden model's probabilities of rows."""
        result = softmax_rows(rows.codes(config), config, ~rows.active)
        given = probabilities(result, rows, config)
        sums = given.layout.real_sums(given.p)[given.layout.filled]
        return cls(
            largest_of(sums - 1), mass_bound(config), mean_of(given.errors), bias_ulp(config)
        )

    @property
    def bound_kept(self) -> bool:
        """No row's sum is further from 1 than was proven."""
        return within(self.error, self.bound)


@dataclass(frozen=True, slots=True)
class ComparedOutput:
    """One output of a unit against the references.

    Attributes:
        name: what it is. against: what the bound is about.
        bound_ulp: the proven largest distance from that, in output LSB.
        comparisons: one for every reference, NumPy's float64 first.
        mass: of the rows' sums, where the output is probabilities.
    """

    name: str
    against: str
    bound_ulp: float
    comparisons: list[Comparison]
    mass: Mass | None = None

    @property
    def bound_kept(self) -> bool:
        """Whether NumPy's float64 of the codes is no further away than was proven.

        Nothing exceeds a bound where there is no element.
        """
        codes = self.comparisons[0].codes
        return codes is None or codes.max_ulp <= self.bound_ulp

    @property
    def bounds_kept(self) -> bool:
        """That one, and the bound of the sums."""
        return self.bound_kept and (self.mass is None or self.mass.bound_kept)


def _softmax(config: SoftmaxConfig, rows: Any) -> list[ComparedOutput]:
    comparisons = compare(config, rows)
    exact = "the exact softmax of the codes"
    return [ComparedOutput("P", exact, bound_ulp(config), comparisons, Mass.of(config, rows))]


def _softmax_backward(config: SoftmaxConfig, rows: Any) -> list[ComparedOutput]:
    comparisons = compare_backward(config, rows.logits, rows.dp)
    exact = "the exact P (dP - sum P dP) of the codes"
    return [ComparedOutput("dS", exact, backward_bound_ulp(config), comparisons)]


def _cross_entropy(config: SoftmaxConfig, rows: Any) -> list[ComparedOutput]:
    losses, gradients = compare_cross_entropy(config, rows.logits, rows.targets)
    exact = "the exact cross-entropy of the codes"
    return [
        ComparedOutput("loss", exact, loss_bound(config).ulp, losses),
        ComparedOutput("gradient", f"that of {exact}", bound_ulp(config), gradients),
    ]


def _adaptive_softmax(config: SoftmaxConfig, rows: Any) -> list[ComparedOutput]:
    losses, gradients = compare_cross_entropy(config, rows.logits, rows.targets(config))
    exact = "the exact cross-entropy of the codes of a row"
    return [
        ComparedOutput("a level's loss", exact, loss_bound(config).ulp, losses),
        ComparedOutput("gradient", f"that of {exact}", bound_ulp(config), gradients),
    ]


UNITS: dict[str, Callable[[SoftmaxConfig, Any], list[ComparedOutput]]] = {
    "softmax": _softmax,
    "softmax_backward": _softmax_backward,
    "cross_entropy": _cross_entropy,
    "adaptive_softmax": _adaptive_softmax,
}


def compare_outputs(unit: str, config: SoftmaxConfig, rows: Any) -> list[ComparedOutput]:
    """Compare each output of a unit with the references.

    Args:
        unit: its name.
        rows: of the unit's kind, see :mod:`softmaxfx.sim`.

    Raises:
        ConfigError: a configuration without such a unit.
        ValueError: rows longer than ``config.max_length``.
    """
    return UNITS[unit](config, rows)
