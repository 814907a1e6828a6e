"""What networks must keep with the presets that are judged, and whether they do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .figures import METRICS, Figures
from .variants import JUDGED, ROW


@dataclass(frozen=True)
class Goal:
    """A bound of a figure with a preset in every softmax of a network.

    Attributes:
        least, most: the figure's bounds, of which one is given. required: else it is told only.
    """

    softmax: str
    network: str
    place: str
    metric: str
    least: float = float("-inf")
    most: float = float("inf")
    required: bool = True

    def reached(self, figure: float) -> bool:
        return self.least <= figure <= self.most

    def asked(self) -> str:
        """What is asked, in words."""
        metric = METRICS[self.network][self.metric]
        if self.most == float("inf"):
            return f"{metric.name} ≥ {metric.shown(self.least)}"
        return f"{metric.name} ≤ {metric.shown(self.most)}"


GOALS = (
    Goal(JUDGED, "smollm2", "both", "agreement", least=0.995),
    Goal(JUDGED, "smollm2", "both", "perplexity_change", most=0.001),
    Goal(JUDGED, "minilm", "attention", "least_cosine", least=0.9999),
    Goal(JUDGED, "efficientnet", "output", "agreement", least=1.0),
    Goal(ROW, "smollm2", "both", "agreement", least=0.98, required=False),
    Goal(ROW, "minilm", "attention", "least_cosine", least=0.98, required=False),
    Goal(ROW, "efficientnet", "output", "agreement", least=0.98, required=False),
)

Found = Mapping[tuple[str, str], Figures]
"""Figures by network and softmax."""


@dataclass(frozen=True)
class Verdict:
    """A goal with what was found of it."""

    goal: Goal
    figure: float

    @property
    def reached(self) -> bool:
        return self.goal.reached(self.figure)

    @property
    def shown(self) -> str:
        """The figure."""
        return METRICS[self.goal.network][self.goal.metric].shown(self.figure)


def verdicts(found: Found) -> Iterator[Verdict]:
    """Of the goals whose network and preset were measured."""
    for goal in GOALS:
        figures = found.get((goal.network, goal.softmax))
        if figures is not None:
            yield Verdict(goal, figures[goal.place][goal.metric])
