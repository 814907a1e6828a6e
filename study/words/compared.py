"""Trainings beside that of the full softmax: what they come to in its steps, and in its time."""

from collections.abc import Sequence
from dataclasses import dataclass

from .course import Course, Point, perplexity

ALLOWED = 1.03
"""Of the full softmax' best test perplexity, which a cheaper one should keep in as many steps."""


@dataclass(frozen=True)
class Compared:
    """A training, and that of the full softmax by the same floats or units."""

    course: Course
    full: Course

    @property
    def in_steps(self) -> Point:
        """Its best in the steps that the full softmax took to its own best."""
        return self.course.within(steps=self.full.best.step)

    @property
    def in_time(self) -> Point:
        """Its best in the processor's time that the full softmax took to its own best."""
        return self.course.within(seconds=self.full.best.seconds)

    def ratio(self, point: Point) -> float:
        """The test perplexity at a point over the full softmax' best."""
        return perplexity(point.test) / perplexity(self.full.best.test)

    @property
    def faster(self) -> float:
        """How many times faster a step is than one of the full softmax."""
        return self.full.seconds_a_step / self.course.seconds_a_step

    @property
    def kept(self) -> bool:
        """It loses no more than is allowed in as many steps."""
        return self.ratio(self.in_steps) <= ALLOWED


def compared(courses: Sequence[Course]) -> list[Compared]:
    """Every course beside that of the full softmax with the same floats or units."""
    full = {course.softmax: course for course in courses if course.method == "full"}
    return [Compared(course, full[course.softmax]) for course in courses]
