"""What a configuration loses of the rows given: mass, and winners that saturate."""

from dataclasses import dataclass

import numpy as np

from ..config import SoftmaxConfig
from ..rows import LogitRows
from ..types import Bits, Codes, Reals
from .ragged import Ragged
from .summary import mean_of

LOST = 0.05
"""A row whose probabilities sum to less than 1 - LOST has lost mass."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost of rows; those without an active element are left out.

    :mod:`.catalogue` says what each figure means; ``rows`` are those that were looked at. Of the
    sums, figures are ``None`` where the probabilities are not known.
    """

    rows: int
    sum_mean: float | None
    sum_min: float | None
    mass_loss_rate: float | None
    winner_clip_rate: float | None
    winner_tie_rate: float | None

    @classmethod
    def of(
        cls,
        config: SoftmaxConfig,
        rows: LogitRows,
        p: Codes | None = None,
        exponent: Codes | None = None,
    ) -> "Losses":
        """Look at rows.

        Args:
            p: codes of ``config.output``, of the rows' shape or of their active elements alone;
                without them nothing is said of the mass.
            exponent: of each row, where rows have one.
        """
        layout = Ragged(rows)
        filled = layout.filled
        if not filled.size:
            return cls(0, *[None] * 5)
        beyond, tied = _saturated(config, rows)
        sums = np.zeros(0) if p is None else _sums(config, layout, p)
        if exponent is not None and sums.size:
            sums = np.ldexp(sums, -exponent)
        sums = sums[filled] if sums.size else sums
        return cls(
            rows=filled.size,
            sum_mean=mean_of(sums),
            sum_min=float(sums.min()) if sums.size else None,
            mass_loss_rate=mean_of(sums < 1 - LOST),
            winner_clip_rate=mean_of(beyond[filled]),
            winner_tie_rate=mean_of(tied[filled]),
        )

    def notes(self, config: SoftmaxConfig) -> list[str]:
        """What is lost, in sentences; nothing where nothing is."""
        notes = []
        if self.mass_loss_rate:
            notes.append(
                f"output {config.output} loses mass: sum p is {self.sum_mean:.3g} on average and "
                f"{self.sum_min:.2g} at least, {_share(self.mass_loss_rate)} of {self.rows:,} rows "
                f"lose more than {_share(LOST)}"
            )
        if self.winner_clip_rate:
            tied = self.winner_tie_rate and f" and {_share(self.winner_tie_rate)} tie"
            notes.append(
                f"{_share(self.winner_clip_rate)} of {self.rows:,} rows have a maximum beyond "
                f"{_limit(config)[1]}: their winners saturate{tied or ''}"
            )
        return notes


def _limit(config: SoftmaxConfig) -> tuple[tuple[int, int], str]:
    """The codes between which elements are told apart, and that in words."""
    if config.clip == "input":
        return (-config.range_code, config.range_code), f"range = {config.range:g}"
    return (config.input.min_code, config.input.max_code), f"input {config.input}"


def _saturated(config: SoftmaxConfig, rows: LogitRows) -> tuple[Bits, Bits]:
    """(rows whose maximum lies beyond the limits, rows that this ties), (rows,)."""
    (low, high), _ = _limit(config)
    values = np.where(rows.active, rows.values, -np.inf)
    top = values.max(axis=1, keepdims=True)
    # half up: what rounds to the limit itself is not beyond it
    above, below = (high + 0.5) * config.input.lsb, (low - 0.5) * config.input.lsb
    beyond = rows.active.any(axis=1) & ((top >= above) | (top < below))[:, 0]
    # of a maximum below the limits, all elements of the row are
    alike = np.where(top >= above, values >= (high - 0.5) * config.input.lsb, rows.active)
    return beyond, beyond & (alike & (values < top)).any(axis=1)


def _sums(config: SoftmaxConfig, layout: Ragged, p: Codes) -> Reals:
    """Sums of the probabilities of each row."""
    flat = layout.flat(p) if p.shape == layout.shape else p
    values = config.output.to_float(flat)
    return layout.real_sums(np.exp(values) if config.function == "log_softmax" else values)


def _share(share: float) -> str:
    """A share in per cent; neither 0 nor all unless it is."""
    if 0.995 <= share < 1:
        return "more than 99 %"
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"
