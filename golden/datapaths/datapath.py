"""What a datapath is derived from, and what it says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from ..widths import Widths


@dataclass(frozen=True, slots=True)
class Needs:
    """What the widths of a datapath follow from.

    Attributes:
        range_code: the clip limit, in input LSB.
        lowest, highest: the codes that are left where elements are clipped, if they are.
        step: what one LSB of distance adds to the exponent.
        fraction: fraction bits of the output.
        max_length: longest row, in elements.
        logarithm: the output is log p, where the error of a term counts in full.
        by_hand: widths that replace the derived ones; ``None`` leaves a width derived.
    """

    range_code: int
    lowest: int
    highest: int
    step: float
    fraction: int
    max_length: int
    logarithm: bool
    by_hand: Mapping[str, Any]

    @property
    def span(self) -> int:
        """What differences saturate at where they do, in input LSB."""
        return 2 * self.range_code

    @property
    def reach(self) -> int:
        """The largest difference of two elements, in input LSB."""
        return self.highest - self.lowest


class Datapath(Protocol):
    """A way to the sum of a row's exponentials exp(-distance), distances in input LSB.

    Attributes:
        saturates: differences saturate at twice the range where ``clip`` is ``"difference"``; else
            nothing is clipped there.
        widths: the internal widths.
        origin: the code from which distances are measured; ``None``: the row's maximum.
        nearest, farthest: the least and the largest distance there is.
        reach: the largest distance that the exp tables tell from nothing.
        window: the sum keeps the limbs around the largest term alone, see
            :mod:`.stages.window`.
        largest_shift: of a row's only term, as :class:`.stages.exp.ExpTable` gives it.
    """

    saturates: ClassVar[bool]

    @classmethod
    def of(cls, needs: Needs) -> Self:
        """The datapath of a configuration.

        Raises:
            ConfigError: widths set by hand that cannot work, or numbers that are too wide.
        """
        ...

    @property
    def widths(self) -> Widths: ...
    @property
    def origin(self) -> int | None: ...
    @property
    def nearest(self) -> int: ...
    @property
    def farthest(self) -> int: ...
    @property
    def reach(self) -> int: ...
    @property
    def window(self) -> bool: ...
    @property
    def largest_shift(self) -> int: ...
