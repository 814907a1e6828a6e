"""The rows that a command runs on: the user's own, or the recorded ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from .golden import ConfigError, SoftmaxConfig
from .golden.rows import LogitRows
from .study import recordings
from .terminal import console


def rows_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that :func:`chosen_rows` reads to a command."""
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
            "--seed", type=int, default=1, show_default=True, help="Seed of pauses and rows."
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def chosen_rows(
    logits: Path | None, limit: int | None, seed: int, config: SoftmaxConfig
) -> LogitRows:
    """The user's rows, or the recorded ones that are short enough for the unit."""
    if logits is not None:
        rows = LogitRows.from_array(_load(logits))
    else:
        rows = LogitRows.concatenate(
            [LogitRows.from_array(recordings.load(name)) for name in recordings.names()]
        )
        fits = rows.lengths <= config.max_length
        if not fits.all():
            console.print(
                f"note: {int((~fits).sum()):,} of {fits.size:,} recorded rows are longer than "
                f"max_length = {config.max_length} and are left out",
                highlight=False,
            )
            rows = rows.take(np.flatnonzero(fits))
    if limit is not None and limit < len(rows.lengths):
        rng = np.random.default_rng(seed)
        rows = rows.take(np.sort(rng.choice(len(rows.lengths), limit, replace=False)))
    return rows


def _load(file: Path) -> np.ndarray:
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ConfigError(f"--logits must be a readable .npy file, not {file}: {error}") from None
    if not isinstance(array, np.ndarray):
        raise ConfigError(f"--logits must be a .npy file with one array, not the archive {file}")
    return array
