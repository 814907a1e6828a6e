"""What a network is measured by, and what was measured."""

from collections.abc import Mapping
from dataclasses import dataclass

PLACES = ("attention", "output", "both")
"""Where a softmax is replaced: in attention, behind the last layer, or in both."""

MANY = 1000
"""From here on, digits after the point say nothing."""

Figures = dict[str, dict[str, float]]
"""Of a network with a softmax: by place, by metric."""


@dataclass(frozen=True)
class Metric:
    """A figure of a network.

    Attributes:
        name: in a table. unit: of the figure as it is shown. digits: after the point.
        factor: from the figure to what is shown.
    """

    name: str
    unit: str
    digits: int
    factor: float = 1.0

    def shown(self, figure: float) -> str:
        value = self.factor * figure
        text = f"{value:,.{self.digits if abs(value) < MANY else 0}f}"
        if not text.strip("-0."):
            text = text.lstrip("-")
        return f"{text} {self.unit}".rstrip()


METRICS: Mapping[str, Mapping[str, Metric]] = {
    "smollm2": {
        "agreement": Metric("same next word", "%", 2, 100),
        "perplexity_change": Metric("perplexity against float32", "%", 3, 100),
        "perplexity": Metric("perplexity", "", 3),
        "lost": Metric("true words with p = 0", "%", 2, 100),
        "mass": Metric("mean Σp", "", 4),
    },
    "minilm": {
        "least_cosine": Metric("least cosine", "", 6),
        "cosine": Metric("mean cosine", "", 6),
        "neighbours": Metric("same nearest text", "%", 1, 100),
    },
    "efficientnet": {
        "agreement": Metric("same class", "%", 2, 100),
        "right": Metric("right", "%", 1, 100),
        "confidence_change": Metric("confidence moved by", "", 4),
        "calibration": Metric("calibration error", "", 4),
        "mass": Metric("mean Σp", "", 4),
    },
}
"""By network and name. An agreement is with float32's answer, ties shared out: a row counts for the
share of its largest results that are that answer."""


SHOWN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "smollm2": {
        "attention": ("agreement", "perplexity_change"),
        "output": ("agreement", "perplexity_change", "lost", "mass"),
        "both": ("agreement", "perplexity_change"),
    },
    "minilm": {"attention": tuple(METRICS["minilm"])},
    "efficientnet": {"output": tuple(METRICS["efficientnet"])},
}
"""What tables show: by network, the places where it has a softmax, and their figures."""
