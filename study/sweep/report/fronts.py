"""Pareto fronts: configurations that no other one beats in cost and error at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from ....golden.measures.catalogue import CATALOGUE
from ....golden.measures.metric import Metric
from .curves import measured, nearest
from .gathered import Design, Gathered, Point

FRONT = tuple(
    CATALOGUE[name]
    for name in (
        "max_error_unclipped", "mean_error_unclipped", "kl", "bound_absolute", "max_error_ulp",
        "bound_ulp", "zero_share",
    )
)  # fmt: skip
"""What area is held against: errors of the unit that the area is of."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A point with its cost: LUT of its design, or bits of its ports where there is none."""

    cost: float
    point: Point
    design: Design | None = None


def placed(
    gathered: Gathered, source: str, target: str, lanes: int, metric: Metric
) -> list[Placed]:
    """The designs of a target and a number of lanes, with what was measured on a source.

    Probabilities do not depend on lanes: a design stands for every point with its widths. Ascending
    by LUT.
    """
    by_probabilities: dict[str, list[Point]] = {}
    for point in measured(gathered.of_source(source), metric):
        by_probabilities.setdefault(point.configuration.probabilities, []).append(point)
    found = []
    for design in gathered.designs:
        if design.target == target and design.lanes == lanes:
            point = nearest(by_probabilities.get(design.configuration.probabilities, []), metric)
            if point is not None:
                found.append(Placed(design.lut, point, design))
    return sorted(found, key=lambda one: (one.cost, one.point.configuration.effort))


def by_port_bits(points: Sequence[Point], metric: Metric) -> list[Placed]:
    """Every point, its cost the bits of an element in and out; ascending."""
    found = [Placed(point.configuration.port_bits, point) for point in measured(points, metric)]
    return sorted(found, key=lambda one: (one.cost, one.point.configuration.effort))


def pareto(placed: Sequence[Placed], metric: Metric) -> list[int]:
    """The indices of the front, ascending by cost.

    A point is on it unless another one costs no more and has no larger error, one of the two less.
    """
    distances = [metric.distance(one.point.metrics) or 0.0 for one in placed]
    order = sorted(range(len(placed)), key=lambda i: (placed[i].cost, distances[i], i))
    front: list[int] = []
    for i in order:
        if not front or distances[i] < distances[front[-1]]:
            front.append(i)
    return front
