"""A metric: what a figure is called, in what unit it is, which way is better, and what it means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Values = Mapping[str, float | None]

WHOLE = ",.0f"
"""How a count is written."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure, and how it is shown.

    Attributes:
        name: in the results of a sweep; no other metric has it.
        title: for people: a heading, the label of an axis.
        meaning: what it says, in a sentence.
        unit: of measure; empty for none. ``share`` is from 0 to 1.
        sense: which way is better; ``None`` where neither is.
        of: whose figure it is: units of hardware, ``design``, ``run``, ``reference``.
        field: in the records of these, and in JSON; ``name`` where it is empty.
        short: heading of a narrow column. few: in few words; ``short`` where it is empty.
        digits: how a cell of a narrow column is formatted.
        said: in few words inside a sentence, with its article; the title where it is empty.
        ideal: the value that loses nothing, or the name of the metric that holds it.
        resolution: a distance from the ideal below which there is nothing to notice.
    """

    name: str
    title: str
    meaning: str
    unit: str = ""
    sense: Literal["smaller", "larger"] | None = "smaller"
    of: tuple[str, ...] = ("softmax",)
    field: str = ""
    short: str = ""
    few: str = ""
    digits: str = ""
    said: str = ""
    ideal: float | str = 0.0
    resolution: float = 0.0

    @property
    def fields(self) -> list[tuple[str, str]]:
        """(whose it is, its name there), of each that has it."""
        return [(of, self.field or self.name) for of in self.of]

    @property
    def is_error(self) -> bool:
        """Whether 0 is nothing lost, and more is worse."""
        return self.sense == "smaller" and self.ideal == 0.0

    @property
    def spoken(self) -> str:
        """The title as it is inside a sentence."""
        return self.title if self.title[1].isupper() else self.title[0].lower() + self.title[1:]

    @property
    def heading(self) -> str:
        """The title, with the unit of measure."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def column(self) -> str:
        """A heading in few words, in one line."""
        return " ".join((self.few or self.short or self.title).split())

    @property
    def subject(self) -> str:
        """What a sentence begins with, in few words."""
        words = self.said or self.title.lower()
        return words[0].upper() + words[1:]

    def text(self, value: float) -> str:
        """A cell of a table; shares in per cent, as the short heading says."""
        return format(value, self.digits).rstrip("%")

    def value(self, values: Values) -> float | None:
        """The metric itself; ``None`` where it was not measured."""
        return values.get(self.name)

    def distance(self, values: Values) -> float | None:
        """How far the metric is from its ideal; ``None`` where either was not measured."""
        value = self.value(values)
        ideal = values.get(self.ideal) if isinstance(self.ideal, str) else self.ideal
        return None if value is None or ideal is None else abs(value - ideal)
