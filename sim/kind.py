"""What the simulation has to know of a kind of unit; everything else is the same for all kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..golden.config import SoftmaxConfig
from ..golden.measures.losses import Losses
from ..golden.rows import LogitRows
from ..golden.types import Codes, Integers, Reals
from .beats import Beats
from .paced import Paced
from .scoreboard import Expected
from .sidecar import Unit

MAIN_OUTPUT = "m_axis"
"""The stream by which a unit's rate and latency are measured."""


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """What input beats must give.

    Attributes:
        streams: by output stream.
        result: the golden model's rows, of the type that the kind's ``measure`` takes.
    """

    streams: dict[str, Expected]
    result: Any


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """What the results of a run show.

    Attributes:
        metrics: of the kind, a dataclass with ``max_error_ulp`` among its fields.
        bound_ulp: the proven bound of ``max_error_ulp``.
        bounds_kept: no error is above its bound.
        probabilities: of the active elements, codes of ``config.output``.
        errors: of the same elements, in output LSB.
        lost: what the configuration loses of the rows.
    """

    metrics: Any
    bound_ulp: float
    bounds_kept: bool
    probabilities: Codes
    errors: Reals
    lost: Losses


@dataclass(frozen=True, eq=False, slots=True)
class WithLogits:
    """Rows of logits, and more of each of them in a subclass."""

    logits: LogitRows

    @property
    def lengths(self) -> Integers:
        """Elements of each row."""
        return self.logits.lengths

    @property
    def elements(self) -> int:
        """Elements of all rows."""
        return self.logits.elements


class Kind(Protocol):
    """A kind of unit. ``rows`` are of the kind's own type, a row of logits in each.

    Attributes:
        frames: names of the hostile frames that :meth:`hostile_frame` makes, likely ones often;
            after ``"reset"`` the unit is reset. ``"good"`` is among them.
    """

    @property
    def frames(self) -> tuple[str, ...]: ...

    def pack(self, rows: Any, unit: Unit) -> dict[str, Beats]:
        """The beats of rows, by input stream.

        Raises:
            ValueError: rows that do not fit the unit.
        """
        ...

    def expect(self, sent: Mapping[str, Beats], unit: Unit) -> Answer:
        """The golden answer to input beats since reset, legal or not."""
        ...

    def measure(self, answer: Answer, rows: Any, config: SoftmaxConfig) -> Measured:
        """What the answer to rows shows."""
        ...

    def rows(self, logits: LogitRows, config: SoftmaxConfig, rng: np.random.Generator) -> Any:
        """Rows of logits with whatever else the unit needs, drawn at random: all there is."""
        ...

    def logits(self, rows: Any) -> LogitRows:
        """The logits of rows."""
        ...

    def shortened(self, rows: Any, chosen: Codes, lengths: Codes) -> Any:
        """Some of the rows, each cut to a length that it has, as far as the unit takes rows of any
        length."""
        ...

    def paced(self, rows: Any, unit: Unit) -> Paced:
        """Rows by which the pace of a unit is measured, of those given."""
        ...

    def hostile_frame(self, frame: str, unit: Unit, rng: np.random.Generator) -> dict[str, Beats]:
        """Beats of every input stream that break the rules of the ports in one way."""
        ...


def in_width(array: np.ndarray, rows: LogitRows) -> np.ndarray:
    """What a unit gave to rows, (rows, elements of whole beats), in the width of the rows' arrays:
    cut, or 0 where they are wider than their longest row."""
    width = rows.values.shape[1]
    return np.pad(array[:, :width], [(0, 0), (0, max(width - array.shape[1], 0))])


def shortened(rows: LogitRows, chosen: Codes, lengths: Codes) -> LogitRows:
    """Some of the rows of logits, each cut to a length that it has."""
    active = rows.active[chosen] & (np.arange(rows.values.shape[1]) < lengths[:, None])
    return LogitRows(rows.values[chosen], active, lengths)
