"""Goals: comparisons of metrics with numbers, joined by ``and``."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ....golden import SoftmaxConfig
from ....golden.errors import ConfigError, require
from ....golden.measures.catalogue import BESIDE, DESIGN, POINT

_UNSOUGHT = ("bound_absolute", "backward_power_min", "backward_power_max", "seeds")
"""What the report works out, and what only says how the rest was measured."""

POINT_METRICS = tuple(
    metric.name
    for metric in sorted((*POINT, *BESIDE), key=lambda metric: "bound" not in metric.name)
    if metric.name not in _UNSOUGHT
)
"""Metrics of a configuration on a source; some sources lack those of loss and backward."""

DESIGN_METRICS = tuple(metric.name for metric in DESIGN if metric.name not in _UNSOUGHT)
"""Metrics of a configuration on a device: minutes, where the others take moments."""

_WIDTHS: dict[str, Callable[[SoftmaxConfig], int]] = {
    "input_bits": lambda config: config.input.width,
    "output_bits": lambda config: config.output.width,
    "mantissa_bits": lambda config: config.widths.mantissa_bits,
    "exp_bits": lambda config: config.widths.exp_bits,
    "sum_fraction": lambda config: config.widths.sum_fraction,
    "reciprocal_bits": lambda config: config.widths.reciprocal_bits,
    "grad_input_bits": lambda config: config.grad_input.width,
    "grad_output_bits": lambda config: config.grad_output.width,
    "loss_bits": lambda config: config.loss.width,
    "lanes": lambda config: config.lanes,
    "bits": lambda config: (
        config.input.width + config.output.width
        + config.widths.mantissa_bits + config.widths.reciprocal_bits
    ),
}  # fmt: skip
WIDTH_METRICS = tuple(_WIDTHS)
"""Metrics that a configuration has by itself; ``bits`` adds up input, output, mantissa and
reciprocal."""

KNOWN = (*POINT_METRICS, *DESIGN_METRICS, *WIDTH_METRICS)

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S+)\s*", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric against one number; ``sign`` is ``<=``, ``>=``, ``<`` or ``>``."""

    metric: str
    sign: str
    number: float

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.number:g}"

    def miss(self, value: float) -> float:
        """By how much a value misses, relative to the number; 0 where it does not."""
        if _COMPARE[self.sign](value, self.number):
            return 0.0
        if math.isnan(value):
            return math.inf
        return max(abs(value - self.number), _TINY) / max(abs(self.number), _TINY)


@dataclass(frozen=True, slots=True)
class Goal:
    """Comparisons that must all hold."""

    comparisons: tuple[Comparison, ...]

    @classmethod
    def parse(cls, text: str) -> "Goal":
        """Read ``bound_ulp <= 1 and kl <= 1e-4``.

        Raises:
            ConfigError: anything else, or a metric that there is not.
        """
        return cls(tuple(_comparison(part, text) for part in re.split(r"\band\b", text)))

    def __str__(self) -> str:
        return " and ".join(str(comparison) for comparison in self.comparisons)

    def about(self, metrics: Iterable[str]) -> "Goal":
        """The comparisons of some metrics."""
        chosen = set(metrics)
        return Goal(tuple(one for one in self.comparisons if one.metric in chosen))

    def miss(self, values: Mapping[str, float]) -> float:
        """By how much values miss, added up; metrics that are not among them are left out."""
        return sum(one.miss(values[one.metric]) for one in self.comparisons if one.metric in values)


def require_metric(what: str, name: str) -> None:
    """Raise :class:`ConfigError` unless ``name`` is a metric."""
    require(name in KNOWN, f"{what} must name a metric of {', '.join(KNOWN)}, not {name!r}")


def width_metrics(config: SoftmaxConfig) -> dict[str, float]:
    """The metrics that a configuration has by itself."""
    return {name: float(of(config)) for name, of in _WIDTHS.items()}


def _comparison(part: str, text: str) -> Comparison:
    match = _COMPARISON.fullmatch(part)
    if match is None or not _NUMBER.fullmatch(match[3]):
        raise ConfigError(
            f"goal must be comparisons like 'bound_ulp <= 1 and kl <= 1e-4', not {text!r}"
        )
    require_metric("goal", match[1])
    number = float(match[3])
    require(math.isfinite(number), f"goal must compare with a finite number, not {match[3]}")
    return Comparison(match[1], match[2], number)
