"""How long a row takes through a unit, and how much of what comes in it holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Cycles from the edge that accepts a row's last beat to the edge that presents its first
    output beat, the unit idle and the reader ready: fixed + per_beat * beats of the row."""

    fixed: int
    per_beat: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a unit accepts while its outputs are blocked, before its inputs refuse.

    Attributes:
        beats: of rows that come without a pause.
        least_beats: of rows that come with any pauses: places kept back are then not all used.
        rows: no more rows than that, however short; few enough to be fewer beats than ``beats``.
    """

    beats: int
    least_beats: int
    rows: int
