"""A metric against bits: the best that a number of bits allows, and the knee of that curve."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from ....golden.config import ADAPTIVE_FIELDS, BACKWARD_FIELDS, LOSS_FIELDS
from ....golden.measures.metric import Metric
from .gathered import COSTS, Configuration, Point

FACTOR = 1.5
"""What the knee may be worse than the best, as a factor of the distance from the ideal."""

FAIR_RULE = (
    "Compared are configurations that differ in those bits alone: every other choice that takes "
    "part was measured at each number of bits that is shown."
)

KNEE_RULE = (
    f"The knee is the fewest bits whose best configuration comes within a factor of {FACTOR:g} of "
    "the best with any number of bits, or within what can be noticed at all. A curve whose fewest "
    "bits already do is flat. A curve that only its widest point satisfies has no knee: it is "
    "still falling."
)

WIDTHS = {
    "output": "output",
    "input": "input",
    "mantissa_bits": "mantissa",
    "exp_bits": "exp table",
    "sum_fraction": "sum's fraction",
    "reciprocal_bits": "reciprocal",
    "grad_input": "gradient input",
    "grad_output": "gradient output",
    "loss": "loss",
}
"""Fields that are counted in bits, and their names for people."""

OWN_FIELDS: dict[str, frozenset[str]] = {
    "softmax": frozenset(),
    "softmax_backward": BACKWARD_FIELDS,
    "cross_entropy": LOSS_FIELDS,
    "adaptive_softmax": ADAPTIVE_FIELDS,
}
"""Of each unit, the fields that change no figure of another one."""

_GRADIENTS = frozenset().union(*OWN_FIELDS.values())
"""Widths that are swept together: none of them is held while another one is looked at."""

Shape = Literal["knee", "flat", "falling"]


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric of a source against the bits of a field.

    Attributes:
        bits: ascending. best: for each, the point nearest to the metric's ideal. median: of the
            metric over all points with so many bits.
        knee: bits of the knee; of a flat curve the fewest; ``None`` where it is still falling.
    """

    metric: Metric
    width: str
    bits: tuple[int, ...]
    best: tuple[Point, ...]
    median: tuple[float, ...]
    knee: int | None
    shape: Shape

    def at(self, bits: int) -> float:
        """The best value with so many bits."""
        value = self.metric.value(self.best[self.bits.index(bits)].metrics)
        assert value is not None, "only measured points are on a curve"
        return value


def swept_widths(points: list[Point]) -> list[str]:
    """The widths that a sweep chose freely: not those that only follow from other fields."""
    return [
        name
        for name in WIDTHS
        if len({point.configuration.bits(name) for point in comparable(points, name)}) > 1
    ]


def matters(width: str, metric: Metric) -> bool:
    """Whether a width can change a metric at all."""
    others = (own for unit, own in OWN_FIELDS.items() if unit != metric.of[0])
    return not any(width in own for own in others)


def nearest(points: Iterable[Point], metric: Metric) -> Point | None:
    """The point nearest to the ideal, of equal ones that with the fewest bits."""

    def rank(point: Point) -> tuple[float, tuple[int, int, str]]:
        distance = metric.distance(point.metrics)
        assert distance is not None, "only measured points are ranked"
        return distance, point.configuration.effort

    return min(measured(points, metric), key=rank, default=None)


def measured(points: Iterable[Point], metric: Metric) -> list[Point]:
    """The points that have the metric."""
    return [point for point in points if metric.distance(point.metrics) is not None]


def comparable(points: list[Point], *widths: str) -> list[Point]:
    """The points that :data:`FAIR_RULE` compares: the same choices at the same bits.

    The choice that was measured at most bits of ``widths`` decides which bits those are; every
    choice that was measured at all of them takes part.
    """
    free = COSTS | {*widths} | (_GRADIENTS if _GRADIENTS & {*widths} else frozenset())
    choices: dict[str, dict[tuple[int, ...], list[Point]]] = {}
    for point in points:
        found = point.configuration
        bits = tuple(found.bits(width) for width in widths)
        if all(bits):
            cells = choices.setdefault(found.choice(free), {})
            cells.setdefault(bits, []).append(point)
    if not choices:
        return []
    most = max(choices, key=lambda choice: (len(choices[choice]), choice))
    shown = choices[most].keys()
    return [
        point
        for cells in choices.values()
        if shown <= cells.keys()
        for bits in shown
        for point in cells[bits]
    ]


def grouped(points: Iterable[Point], key: Callable[[Configuration], int]) -> dict[int, list[Point]]:
    """Points by a number of their configuration, ascending; those without are left out."""
    groups: dict[int, list[Point]] = {}
    for point in points:
        if found := key(point.configuration):
            groups.setdefault(found, []).append(point)
    return dict(sorted(groups.items()))


def curve(points: Iterable[Point], metric: Metric, width: str) -> Curve | None:
    """The curve of one source's points; ``None`` with fewer than two numbers of bits."""
    fair = comparable(measured(points, metric), width)
    groups = grouped(fair, lambda found: found.bits(width))
    if len(groups) < 2:
        return None
    best = [nearest(group, metric) for group in groups.values()]
    chosen = tuple(point for point in best if point is not None)
    distances = [metric.distance(point.metrics) or 0.0 for point in chosen]
    knee, shape = find_knee(tuple(groups), distances, metric.resolution)
    return Curve(
        metric=metric,
        width=width,
        bits=tuple(groups),
        best=chosen,
        median=tuple(
            statistics.median(metric.value(point.metrics) or 0.0 for point in group)
            for group in groups.values()
        ),
        knee=knee,
        shape=shape,
    )


def find_knee(
    bits: tuple[int, ...], distances: list[float], resolution: float
) -> tuple[int | None, Shape]:
    """(bits of the knee, what the curve looks like) by :data:`KNEE_RULE`.

    Args:
        bits: ascending. distances: of the best from the ideal. resolution: distances below it are
            all as good.
    """
    limit = max(FACTOR * min(distances), resolution)
    place = next(i for i, distance in enumerate(distances) if distance <= limit)
    if place == 0:
        return bits[0], "flat"
    if place == len(bits) - 1:
        return None, "falling"
    return bits[place], "knee"
