"""How much of what comes in a unit holds."""

from dataclasses import dataclass

from ...golden.config import SoftmaxConfig
from ..flow.credits import Credits
from ..flow.queue import Queue

ROWS = 80
"""Rows that can be in flight between input and output."""
EXTRA_BEATS = 64
"""Beats that a row buffer holds beyond its longest row, so that the next row comes in meanwhile."""


def depth_of(config: SoftmaxConfig) -> int:
    """Beats that a row buffer holds."""
    return config.held_beats + EXTRA_BEATS


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a unit accepts of rows that come once, its outputs blocked, before its inputs refuse.

    Attributes:
        beats: of rows that come without a pause.
        least_beats: of rows that come with any pauses: places kept back are then not all used.
        rows: no more rows than that, however short; few enough to be fewer beats than ``beats``.
    """

    beats: int
    least_beats: int
    rows: int

    @classmethod
    def of(
        cls, config: SoftmaxConfig, *, buffers: int, lead: int, words: int = Queue.WORDS
    ) -> "Capacity":
        """That of a unit with one output.

        Args:
            buffers: row buffers that a beat goes through. lead: of the :class:`Credits` of the
                first. words: of the output queue.
        """
        places = words + 1
        beats = buffers * depth_of(config) + places
        kept = lead + (buffers + 1) * Credits.MARGIN
        return cls(beats, beats - kept, ROWS + places)
