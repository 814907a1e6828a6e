"""Every output of a unit, compared with every float reference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..golden.config import SoftmaxConfig
from ..golden.proofs.bounds import bound_ulp
from ..golden.proofs.gradient import backward_bound_ulp
from ..golden.proofs.loss import loss_bound
from ..golden.torch.gradient_reference import compare_backward, compare_cross_entropy
from ..golden.torch.reference import Comparison, compare


@dataclass(frozen=True, slots=True)
class ComparedOutput:
    """One output of a unit against the references.

    Attributes:
        name: what it is. against: what the bound is about.
        bound_ulp: the proven largest distance from that, in output LSB.
        comparisons: one for every reference, NumPy's float64 first.
    """

    name: str
    against: str
    bound_ulp: float
    comparisons: list[Comparison]

    @property
    def bound_kept(self) -> bool:
        """Whether NumPy's float64 of the codes is no further away than was proven.

        Nothing exceeds a bound where there is no element.
        """
        codes = self.comparisons[0].codes
        return codes is None or codes.max_ulp <= self.bound_ulp


def _softmax(config: SoftmaxConfig, rows: Any) -> list[ComparedOutput]:
    comparisons = compare(config, rows)
    return [ComparedOutput("P", "the exact softmax of the codes", bound_ulp(config), comparisons)]


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
