"""What a training came to on its way, and what of that a budget of steps or seconds buys."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf


@dataclass(frozen=True)
class Point:
    """A measurement on the way.

    Attributes:
        step: updates so far. seconds: of the processor, that they took.
        validation: loss in nats. test: loss in nats, where no validation before was better.
    """

    step: int
    seconds: float
    validation: float
    test: float | None


@dataclass(frozen=True)
class Course:
    """All measurements of a training.

    Attributes:
        method, softmax: names.
    """

    method: str
    softmax: str
    points: tuple[Point, ...]

    @property
    def best(self) -> Point:
        """Of the least validation loss."""
        return self.within()

    def within(self, steps: float = inf, seconds: float = inf) -> Point:
        """The best of those that a budget buys, or the first."""
        inside = [
            point for point in self.points if point.step <= steps and point.seconds <= seconds
        ]
        return min(inside or self.points[:1], key=lambda point: point.validation)

    @property
    def seconds_a_step(self) -> float:
        last = self.points[-1]
        return last.seconds / last.step


def perplexity(loss: float | None) -> float:
    """Of a loss in nats."""
    return inf if loss is None else exp(loss)


@dataclass(frozen=True)
class Stop:
    """When a training ends.

    Attributes:
        interval: steps between measurements. patience: measurements in a row without a better one,
            after which nothing better is waited for. most: steps.
    """

    interval: int = 100
    patience: int = 3
    most: int = 3000


def followed(
    stop: Stop, step: Callable[[], float], validation: Callable[[], float],
    test: Callable[[], float],
) -> tuple[Point, ...]:  # fmt: skip
    """Train until nothing gets better.

    Args:
        step: does one, and tells its seconds. validation, test: measure the losses now.
    """
    points: list[Point] = []
    seconds, best, since = 0.0, inf, 0
    for number in range(1, stop.most + 1):
        seconds += step()
        if number % stop.interval and number != stop.most:
            continue
        found = validation()
        better = found < best
        points.append(Point(number, seconds, found, test() if better else None))
        best, since = min(best, found), 0 if better else since + 1
        if since == stop.patience:
            break
    return tuple(points)
