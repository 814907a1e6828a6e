"""The cheapest configuration whose errors a source cannot notice, by a rule that is written down.

The yardstick is a float format that networks are run in: what it does to a source's logits and
probabilities is taken as not noticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ....golden.measures.catalogue import CATALOGUE
from ....golden.measures.metric import Metric, Values
from .gathered import Design, Gathered, Point

YARDSTICK = "bf16"

JUDGED = (
    "max_error_unclipped", "kl", "mass_error", "bias", "top1", "loss_change", "ece",
    "backward_max_error_unclipped", "backward_saturated_share",
)  # fmt: skip
"""The metrics that a configuration must pass in, where the source has them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a configuration may lose: the distance of a metric from its ideal."""

    metric: Metric
    most: float

    def excess(self, values: Values) -> float:
        """The loss as a multiple of the limit; above 1 is noticed, infinite if never measured."""
        distance = self.metric.distance(values)
        if distance is None:
            return float("inf")
        if self.most == 0:
            return 0.0 if distance == 0 else float("inf")
        return distance / self.most


@dataclass(frozen=True, slots=True)
class Verdict:
    """A configuration against the limits."""

    point: Point
    design: Design | None
    worst: Limit
    excess: float

    @property
    def passes(self) -> bool:
        return self.excess <= 1


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What is recommended for a source.

    Attributes:
        limits: that were applied. measured, passing: counts of points.
        chosen: the cheapest that passes: in LUT among the designs of the target, in bits where no
            design passes; ``None`` if nothing passes.
        cheaper: the dearest of what is cheaper and fails; ``None`` if nothing is cheaper.
        narrowest: that passes with the fewest bits, synthesised or not.
        closest: that fails by the least, where nothing passes.
        candidates: designs of the target that were measured on the source.
    """

    source: str
    limits: tuple[Limit, ...]
    measured: int
    passing: int
    target: str | None
    candidates: int
    chosen: Verdict | None
    cheaper: Verdict | None
    narrowest: Verdict | None
    closest: Verdict | None


def limits(points: list[Point], baselines: Mapping[str, Values]) -> tuple[Limit, ...]:
    """The limits of a source: what the yardstick loses, or what can be noticed at all.

    Only what both the points and the yardstick were measured in is judged; gradients that saturate
    have no float counterpart and are judged by themselves.
    """
    yardstick = baselines.get(YARDSTICK, {})
    found = []
    for metric in (CATALOGUE[name] for name in JUDGED):
        if all(metric.distance(point.metrics) is None for point in points):
            continue
        lost = metric.distance(yardstick)
        if lost is None and metric.name == "backward_saturated_share" and yardstick:
            lost = 0.0
        if lost is not None:
            found.append(Limit(metric, max(lost, metric.resolution)))
    return tuple(found)


def recommend(gathered: Gathered, source: str) -> Recommendation | None:
    """The recommendation for a source; ``None`` where no yardstick was measured on it."""
    points = gathered.of_source(source)
    applied = limits(points, gathered.baselines.get(source, {}))
    if not applied:
        return None
    target = gathered.targets[0] if gathered.targets else None
    verdicts = sorted((_judge(point, applied) for point in points), key=_rank)
    designed = _designed(gathered, verdicts, target)
    passing = [verdict for verdict in verdicts if verdict.passes]
    narrowest = passing[0] if passing else None
    chosen = next((verdict for verdict in designed if verdict.passes), narrowest)
    return Recommendation(
        source=source,
        limits=applied,
        measured=len(points),
        passing=len(passing),
        target=target,
        candidates=len(designed),
        chosen=chosen,
        cheaper=_cheaper(chosen, designed if chosen and chosen.design else verdicts),
        narrowest=narrowest,
        closest=None if passing else min(verdicts, key=lambda v: v.excess, default=None),
    )


def _judge(point: Point, applied: tuple[Limit, ...]) -> Verdict:
    worst = max(applied, key=lambda limit: limit.excess(point.metrics))
    return Verdict(point, None, worst, worst.excess(point.metrics))


def _price(verdict: Verdict) -> tuple[float, ...]:
    """What makes a configuration cheap: LUT, or bits of the ports and then inside."""
    return (verdict.design.lut,) if verdict.design else verdict.point.configuration.effort[:2]


def _rank(verdict: Verdict) -> tuple[tuple[float, ...], float, str]:
    """Sorts by price; at one price the smallest loss comes first."""
    return _price(verdict), verdict.excess, verdict.point.configuration.effort[2]


def _designed(gathered: Gathered, verdicts: list[Verdict], target: str | None) -> list[Verdict]:
    """The designs of a target, ascending by LUT, each with the first point of its probabilities.

    Of points that differ in the gradient's formats alone, the cheapest that passes stands for them.
    """
    found: dict[str, Verdict] = {}
    for verdict in sorted(verdicts, key=lambda verdict: not verdict.passes):
        found.setdefault(verdict.point.configuration.probabilities, verdict)
    judged = [
        Verdict(verdict.point, design, verdict.worst, verdict.excess)
        for probabilities, verdict in found.items()
        for design in gathered.areas.get(probabilities, [])
        if design.target == target
    ]
    return sorted(judged, key=_rank)


def _cheaper(chosen: Verdict | None, ascending: list[Verdict]) -> Verdict | None:
    """The dearest that fails and is cheaper than the chosen one, by the least it can."""
    if chosen is None:
        return None
    failing = [v for v in ascending if _price(v) < _price(chosen) and not v.passes]
    return max(failing, key=lambda v: (_price(v), -v.excess), default=None)
