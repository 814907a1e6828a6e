"""What is measured of a configuration: names for people, and what a difference is worth telling.

The names of :mod:`golden.metrics` and :mod:`golden.gradient_metrics` keep their meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["softmax", "softmax_backward", "cross_entropy"]
Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of a configuration on a source.

    Attributes:
        name: in the results. title: for people. scale: its unit of measure, empty for none.
        ideal: the value that loses nothing, or the name of the metric that holds it.
        resolution: a distance from the ideal below which there is nothing to notice.
        unit: the unit of hardware it is of. error: lower is better, 0 is nothing lost.
    """

    name: str
    title: str
    scale: str = ""
    ideal: float | str = 0.0
    resolution: float = 0.0
    unit: Unit = "softmax"
    error: bool = True

    @property
    def spoken(self) -> str:
        """The title inside a sentence."""
        return self.title if self.title[1].isupper() else self.title[0].lower() + self.title[1:]

    @property
    def heading(self) -> str:
        """The title, with the unit of measure."""
        return f"{self.title} ({self.scale})" if self.scale else self.title

    def value(self, values: Values) -> float | None:
        """The metric itself; ``None`` where it was not measured."""
        return values.get(self.name)

    def distance(self, values: Values) -> float | None:
        """How far the metric is from its ideal; ``None`` where either was not measured."""
        value = self.value(values)
        ideal = values.get(self.ideal) if isinstance(self.ideal, str) else self.ideal
        return None if value is None or ideal is None else abs(value - ideal)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("max_error_unclipped", "Largest error against float64 of the logits",
               resolution=1e-6),
        Metric("mean_error_unclipped", "Mean error against float64 of the logits",
               resolution=1e-8),
        Metric("kl", "KL divergence from float64", "nats", resolution=1e-3),
        Metric("bound_absolute", "Proven bound, for the codes", resolution=1e-7),
        Metric("bound_ulp", "Proven bound, for the codes", "output LSB"),
        Metric("max_error_ulp", "Largest error, for the codes", "output LSB"),
        Metric("zero_share", "Probabilities that are 0", "share", resolution=1e-3),
        Metric("sum_min", "Smallest sum of a row", ideal=1.0, resolution=1e-3, error=False),
        Metric("sum_mean", "Mean sum of a row", ideal=1.0, resolution=1e-3, error=False),
        Metric("top1", "Top-1 agreement", "share", ideal=1.0, resolution=1e-3,
               error=False),
        Metric("tie_rate", "Rows whose top is tied", "share", resolution=1e-3),
        Metric("clip_rate", "Elements clipped", "share", resolution=1e-4),
        Metric("loss_change", "Change of the mean loss", "nats", resolution=1e-3,
               unit="cross_entropy", error=False),
        Metric("ece", "Expected calibration error", ideal="ece_float", resolution=1e-3,
               error=False),
        Metric("loss_bound_ulp", "Proven bound of the loss", "loss LSB", unit="cross_entropy"),
        Metric("loss_max_error_ulp", "Largest error of the loss", "loss LSB",
               unit="cross_entropy"),
        Metric("loss_grad_max_error_ulp", "Largest error of its gradient", "LSB",
               unit="cross_entropy"),
        Metric("backward_max_error_unclipped", "Largest gradient error against float64",
               resolution=1e-6, unit="softmax_backward"),
        Metric("backward_bound_ulp", "Proven bound of gradients", "gradient LSB",
               unit="softmax_backward"),
        Metric("backward_max_error_ulp", "Gradient error, for the codes", "gradient LSB",
               unit="softmax_backward"),
        Metric("backward_saturated_share", "Gradients that saturate", "share", resolution=1e-4,
               unit="softmax_backward"),
    )
}  # fmt: skip
"""Every metric that is shown, in the order in which it is."""

FRONT_METRICS = (
    "max_error_unclipped", "mean_error_unclipped", "kl", "bound_absolute", "max_error_ulp",
    "bound_ulp", "zero_share",
)  # fmt: skip
"""What area is held against: errors of the unit that the area is of."""

DESIGN_FIGURES = (
    "lut", "ff", "dsp", "bram", "fmax_mhz", "fmax_min", "fmax_max", "seeds", "melem_per_s",
    "melem_per_s_per_lut", "elements_per_cycle", "latency_cycles",
)  # fmt: skip

BASELINES = ("fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2")
"""Float formats, finest first; roundings to decimals follow them."""


def baseline_title(name: str) -> str:
    """A float baseline, for people."""
    if name.startswith("round_"):
        places = name.removeprefix("round_")
        return f"p to {places} decimal{'' if places == '1' else 's'}"
    return name.replace("_", " ")


def baseline_order(name: str) -> tuple[int, str]:
    """Sorts baselines: formats as listed, then everything else by name."""
    return (BASELINES.index(name), "") if name in BASELINES else (len(BASELINES), name)


def figure_text(value: float | None) -> str:
    """A number with three significant digits, whole thousands with commas."""
    if value is None:
        return "-"
    if isinstance(value, int) or (abs(value) >= 1000 and float(value).is_integer()):
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".") if value and abs(value) >= 1e-4 else f"{value:.2g}"


def share_text(value: float | None) -> str:
    """A share in per cent; neither 0 nor all unless it is."""
    if value is None:
        return "-"
    percent = 100 * value
    if value == round(value):
        return f"{percent:.0f} %"
    if abs(percent) < 0.01:
        return f"{percent:.1g} %"
    return f"{percent:.3g} %" if percent < 99.95 else f"{percent:.5g} %"
