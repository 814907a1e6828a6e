"""What units do to a model's own output."""

from dataclasses import dataclass

from ..sweep.report.texts import share_text


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a unit in every softmax does to a model's own output.

    Attributes:
        rows: outputs along the last axis. top1: share of them whose winner stays, ties shared out;
            None where the output is no array of floats. note: why there is none.
    """

    name: str
    rows: int
    top1: float | None
    note: str = ""

    @property
    def text(self) -> str:
        """In a cell."""
        if self.top1 is None:
            return self.note
        return f"{share_text(self.top1)} of {self.rows:,} winners"
