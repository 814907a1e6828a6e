"""The rows that a command runs on: the user's own, or the recorded ones."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click
import numpy as np

from .decorators import options
from .golden import ConfigError, SoftmaxConfig
from .golden.errors import require
from .golden.rows import LogitRows
from .study.npy_file import load_array
from .study.unit_rows import UNITS
from .terminal import console

OPTIONS = options(
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
    *(
        click.option(
            f"--{unit.file}", type=click.Path(path_type=Path), metavar="FILE.npy",
            help=f"With --logits, for {name}: {unit.holds}.",
        )
        for name, unit in UNITS.items() if unit.file
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave to run on; the recorded rows where that is nothing.

    Attributes:
        logits, gradients, targets, words: files. limit: rows at most, drawn at random by ``seed``.
    """

    logits: Path | None = None
    gradients: Path | None = None
    targets: Path | None = None
    words: Path | None = None
    limit: int | None = None
    seed: int = 1

    def units(self) -> tuple[str, ...]:
        """The units that there are rows for."""
        if self.logits is None:
            return tuple(UNITS)
        return tuple(name for name, unit in UNITS.items() if not unit.file or self._file(name))

    def unused(self, unit: str) -> list[str]:
        """Options of files that were given, and that a unit takes none of."""
        others = (name for name in UNITS if name != unit and self._file(name))
        return [f"--{UNITS[name].file}" for name in others]

    def rows(self, unit: str, config: SoftmaxConfig) -> Any:
        """Rows of the type of the unit's kind.

        Raises:
            ConfigError: files that do not go together, or are no arrays.
            ValueError: arrays that are no rows, or rows longer than ``config.max_length``.
        """
        for name, other in UNITS.items():
            require(
                self.logits is not None or not self._file(name),
                f"--{other.file} must be given together with --logits, not alone",
            )
        rows = _recorded(unit, config) if self.logits is None else self._own(unit, config)
        count = len(rows.lengths)
        if self.limit is not None and self.limit < count:
            chosen = np.random.default_rng(self.seed).choice(count, self.limit, replace=False)
            rows = rows.take(np.sort(chosen))
        LogitRows.require_length(rows.lengths, config.max_length)
        return rows

    def _own(self, unit: str, config: SoftmaxConfig) -> Any:
        """The user's rows."""
        logits, of = LogitRows.from_array(_load("logits", self.logits)), UNITS[unit]
        if not of.file:
            return logits
        return of.joined(logits, _load(of.file, self._file(unit)), config)

    def _file(self, unit: str) -> Path | None:
        """The file of what a unit's rows have besides logits."""
        return getattr(self, UNITS[unit].file) if UNITS[unit].file else None


def given_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose rows to a command, which gets them as ``given``."""

    @wraps(command)
    def with_given(**chosen: Any) -> Any:
        given = Given(**{field.name: chosen.pop(field.name) for field in fields(Given)})
        return command(given=given, **chosen)

    return OPTIONS(with_given)


def _load(name: str, file: Path | None) -> np.ndarray:
    if file is None:
        raise ConfigError(f"--{name} must be given for this unit, as --logits is")
    return load_array(f"--{name}", file)


def _recorded(unit: str, config: SoftmaxConfig) -> Any:
    """The recorded rows that are short enough."""
    rows, note = UNITS[unit].recorded(config)
    if note:
        console.print(f"note: {note}")
    fits = rows.lengths <= config.max_length
    require(
        bool(fits.any()),
        f"max_length must be at least {rows.lengths.min()} for the recorded rows of this unit, not "
        f"{config.max_length}; --logits gives others",
    )
    if fits.all():
        return rows
    console.print(
        f"note: {int((~fits).sum()):,} of {fits.size:,} recorded rows are longer than "
        f"max_length = {config.max_length} and are left out"
    )
    return rows.take(np.flatnonzero(fits))
