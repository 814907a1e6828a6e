"""The rows that a command runs on: the user's own, or the recorded ones."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np

from .golden import ConfigError, SoftmaxConfig
from .golden.errors import require
from .golden.formats import Format
from .golden.measures.losses import Losses
from .golden.rows import LogitRows
from .sim.cross_entropy import TargetRows
from .sim.kinds import kind_of
from .sim.run import Simulation
from .sim.softmax_backward import BackwardRows
from .study import recordings
from .study.npy_file import load_array
from .study.sweep.measure.own_rows import checked_gradients, checked_targets
from .terminal import console

ATTENTION_SHARE = 8
"""The cross-entropy unit gets every eighth row of recorded attention, with targets drawn."""


def rows_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose rows of logits to a command."""
    options = (
        click.option(
            "--logits", type=click.Path(path_type=Path), metavar="FILE.npy",
            help="Your own rows: a 2-D array; -inf is masked, trailing NaN a shorter row.",
        ),
        click.option(
            "--rows", "limit", type=click.IntRange(min=1), metavar="N",
            help="At most N rows, drawn at random.",
        ),
        click.option(
            "--seed", type=click.IntRange(0, 2**32 - 1), default=1, show_default=True, metavar="S",
            help="Seed of pauses and rows.",
        ),
    )  # fmt: skip
    return _with(options, command)


def unit_rows_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that :class:`Given` holds to a command; those of :func:`rows_options` too."""
    options = (
        click.option(
            "--gradients", type=click.Path(path_type=Path), metavar="FILE.npy",
            help="With --logits, for softmax_backward: dP of every element, an array of its shape.",
        ),
        click.option(
            "--targets", type=click.Path(path_type=Path), metavar="FILE.npy",
            help="With --logits, for cross_entropy: each row's class index, below 0 for none.",
        ),
    )  # fmt: skip
    return rows_options(_with(options, command))


def _with(options: tuple[Callable[..., Any], ...], command: Callable[..., Any]):
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave to run on; the recorded rows where that is nothing.

    Attributes:
        logits, gradients, targets: files. limit: rows at most, drawn at random by ``seed``.
    """

    logits: Path | None = None
    gradients: Path | None = None
    targets: Path | None = None
    limit: int | None = None
    seed: int = 1

    def units(self) -> tuple[str, ...]:
        """The units that there are rows for."""
        own = self.logits is not None
        return (
            "softmax",
            *(["softmax_backward"] if self.gradients or not own else []),
            *(["cross_entropy"] if self.targets or not own else []),
        )

    def rows(self, unit: str, config: SoftmaxConfig) -> Any:
        """Rows of the type of the unit's kind.

        Raises:
            ConfigError: files that do not go together, or are no arrays.
            ValueError: arrays that are no rows, or rows longer than ``config.max_length``.
        """
        for option, file in (("--gradients", self.gradients), ("--targets", self.targets)):
            require(
                file is None or self.logits is not None,
                f"{option} must be given together with --logits, not alone",
            )
        rows = self._own(unit) if self.logits is not None else _recorded(unit, config)
        count = len(rows.lengths)
        if self.limit is not None and self.limit < count:
            chosen = np.random.default_rng(self.seed).choice(count, self.limit, replace=False)
            rows = rows.take(np.sort(chosen))
        LogitRows.require_length(rows.lengths, config.max_length)
        return rows

    def _own(self, unit: str) -> Any:
        """The user's rows."""
        logits = LogitRows.from_array(_load("--logits", self.logits))
        if unit == "softmax_backward":
            return BackwardRows(
                logits, checked_gradients(_load("--gradients", self.gradients), logits)
            )
        if unit == "cross_entropy":
            return TargetRows(logits, checked_targets(_load("--targets", self.targets), logits))
        return logits


def lost(simulation: Simulation, rows: Any) -> list[str]:
    """What a unit loses of the rows that it was simulated on, in sentences.

    Args:
        rows: of the type of the unit's kind, see :meth:`Given.rows`.
    """
    unit = simulation.unit
    # a loss unit has no probabilities of its own to sum
    p = None if unit.name == "cross_entropy" else simulation.probabilities
    return Losses.of(unit.config, kind_of(unit).logits(rows), p).notes(unit.config)


def _load(option: str, file: Path | None) -> np.ndarray:
    if file is None:
        raise ConfigError(f"{option} must be given for this unit, as --logits is")
    return load_array(option, file)


def _recorded(unit: str, config: SoftmaxConfig) -> Any:
    """The recorded rows that are short enough."""
    if unit == "softmax_backward":
        return _fitting(_recorded_gradients(config.grad_input), config)
    if unit == "cross_entropy":
        return _fitting(_recorded_targets(), config)
    return _fitting(_recorded_logits(), config)


def _fitting(rows: Any, config: SoftmaxConfig) -> Any:
    fits = rows.lengths <= config.max_length
    require(
        bool(fits.any()),
        f"max_length must be at least {rows.lengths.min()} for the recorded rows of this unit, not "
        f"{config.max_length}; --logits gives others",
    )
    if not fits.all():
        console.print(
            f"note: {int((~fits).sum()):,} of {fits.size:,} recorded rows are longer than "
            f"max_length = {config.max_length} and are left out"
        )
        rows = rows.take(np.flatnonzero(fits))
    return rows


@cache
def _recorded_logits() -> LogitRows:
    """All of them; read once for all units of a run."""
    return LogitRows.concatenate(
        [LogitRows.from_array(recordings.load(name)) for name in recordings.names()]
    )


def _recorded_gradients(held: Format) -> BackwardRows:
    """Attention with the gradients of every recording, by the power of two that fits the format.

    Gradients are proportional to the loss, which training scales so that they fill their format.
    """
    recorded = [recordings.upstream_gradients()]
    recorded += [recordings.training_gradients(step) for step in recordings.training_steps()]
    scaled, powers = [], []
    for _, dp in recorded:
        powers.append(int(np.floor(np.log2(held.max_code * held.lsb / np.nanmax(np.abs(dp))))))
        scaled.append(np.nan_to_num(np.ldexp(dp, powers[-1])))
    console.print(
        f"note: the recorded dP are scaled by {', '.join(f'2^{power}' for power in powers)} "
        f"to fit {held}"
    )
    logits = LogitRows.concatenate([LogitRows.from_array(scores) for scores, _ in recorded])
    return BackwardRows(logits, np.concatenate(scaled))


@cache
def _recorded_targets() -> TargetRows:
    """Digits with their classes; some of the attention, any element of a row its target."""
    logits, classes = _recorded_logits(), recordings.digits_targets().astype(np.int64)
    digits = np.arange(len(classes))
    attention = np.arange(len(classes), len(logits.lengths), ATTENTION_SHARE)
    drawn = np.random.default_rng(1).integers(0, logits.lengths[attention])
    return TargetRows(
        logits.take(np.concatenate([digits, attention])), np.concatenate([classes, drawn])
    )
