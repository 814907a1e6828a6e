"""How long a row takes through a unit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """Cycles from the edge that accepts a row's last beat to the edge that presents its first
    output beat, the unit idle and the reader ready: fixed + per_beat * beats of the row."""

    fixed: int
    per_beat: int

    def __add__(self, cycles: int) -> "Latency":
        """With some more cycles, however long the row."""
        return Latency(self.fixed + cycles, self.per_beat)
