"""Where the rows of a sweep come from: the recordings, or the user's own files."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ....golden.formats import Format
from ....golden.rows import LogitRows
from ....golden.types import Bits, Codes, Indices, Reals
from ... import recordings
from ...npy_file import load_array
from ...scaling import fitting_powers, scaling_note
from .own_rows import checked_gradients, checked_targets

ELEMENTS = 100_000
"""Elements that a source is cut to."""


@dataclass(frozen=True, eq=False)
class Source:
    """A named set of rows of logits, and what is known of them.

    Attributes:
        logits: the rows.
        targets: class index of each row, (rows,), -1 where there is none; ``None`` without classes.
        held_out: bool, (rows,): rows that the network never trained on; ``None`` where that is
            not known.
        gradients: upstream gradients dP, (rows, longest row): NaN in rows that have none, 0 beyond
            the end of the others; ``None`` without gradients.
        peaks: (rows,): the largest |dP| of the recording that a row is of, by which its gradients
            are scaled, see :meth:`powers`; ``None`` where they are taken as they are.
    """

    name: str
    logits: LogitRows
    targets: Codes | None = None
    held_out: Bits | None = None
    gradients: Reals | None = None
    peaks: Reals | None = None

    @cached_property
    def data_sha256(self) -> str:
        """Hash of the arrays: equal for sources that measure the same."""
        digest = hashlib.sha256()
        arrays = {
            "values": self.logits.values,
            "active": self.logits.active,
            "lengths": self.logits.lengths,
            "targets": self.targets,
            "held_out": self.held_out,
            "gradients": self.gradients,
            "peaks": self.peaks,
        }
        for name, array in arrays.items():
            if array is not None:
                little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
                digest.update(f"{name} {little.dtype.str} {little.shape}\n".encode())
                digest.update(little.tobytes())
        return digest.hexdigest()

    @cached_property
    def with_gradients(self) -> Indices:
        """The rows that have gradients."""
        if self.gradients is None:
            return np.zeros(0, np.intp)
        return np.flatnonzero(~np.isnan(self.gradients[:, 0]))

    @property
    def has_gradients(self) -> bool:
        """Whether an element that takes part has a gradient."""
        return bool(self.logits.active[self.with_gradients].any())

    def powers(self, fmt: Format) -> Codes:
        """The power of two that the gradients of each row are multiplied by to fit a format.

        The user's own gradients are taken as they are: all powers are 0.
        """
        if self.peaks is None:
            return np.zeros(len(self.logits.lengths), np.int64)
        return fitting_powers(self.peaks, fmt)

    def scaled_gradients(self, fmt: Format) -> tuple[LogitRows, Reals]:
        """The rows that have gradients, and their dP by :meth:`powers`: what the unit is given."""
        assert self.gradients is not None, "a source without gradients has none to scale"
        logits = self.logits.take(self.with_gradients)
        dp = self.gradients[self.with_gradients, : logits.values.shape[1]]
        return logits, np.ldexp(dp, self.powers(fmt)[self.with_gradients, None])

    def note(self, fmt: Format) -> str:
        """What a user should know of the gradients, a sentence; empty where they are as given."""
        if self.peaks is None or not self.with_gradients.size:
            return ""
        powers = np.unique(self.powers(fmt)[self.with_gradients])
        return scaling_note(f"the dP of {self.name}", powers, fmt)

    def take(self, rows: Indices) -> "Source":
        """Some of the rows."""
        logits = self.logits.take(rows)

        def of(array: np.ndarray | None) -> np.ndarray | None:
            return None if array is None else array[rows]

        gradients = of(self.gradients)
        if gradients is not None:
            gradients = gradients[:, : logits.values.shape[1]]
        return Source(
            self.name, logits, of(self.targets), of(self.held_out), gradients, of(self.peaks)
        )

    def cut(self, elements: int, seed: int) -> "Source":
        """Rows drawn at random, in their order, of at most ``elements`` elements; at least one."""
        lengths = self.logits.lengths
        if lengths.sum() <= elements:
            return self
        drawn = np.random.default_rng(seed).permutation(len(lengths))
        count = np.searchsorted(np.cumsum(lengths[drawn]), elements, side="right")
        return self.take(np.sort(drawn[: max(count, 1)]))


def recorded_sources(elements: int = ELEMENTS, seed: int = 1) -> list[Source]:
    """The recordings: digits with their classes, attention after training, attention in training,
    and what pretrained networks give.

    Args:
        elements: that each source is cut to, by ``seed``.
    """
    sources = (_digits(), _attention(), _training(), *map(_network, recordings.networks()))
    return [source.cut(elements, seed) for source in sources]


def own_source(
    logits: Path,
    *,
    targets: Path | None = None,
    gradients: Path | None = None,
    elements: int = ELEMENTS,
    seed: int = 1,
) -> Source:
    """The user's rows, from ``.npy`` files; the source has the name of the file of logits.

    Args:
        logits: a 2-D array: -inf is a masked element, trailing NaN a shorter row.
        targets: a class index for every row; below 0 for none.
        gradients: dP of every element, of the shape of the logits.
        elements: that the source is cut to, by ``seed``.

    Raises:
        ConfigError: a file that cannot be read as one array.
        ValueError: arrays that are no rows, or do not go together.
    """
    rows = LogitRows.from_array(load_array("logits", logits))
    source = Source(
        logits.stem,
        rows,
        None if targets is None else checked_targets(load_array("targets", targets), rows),
        None,
        None if gradients is None else checked_gradients(load_array("gradients", gradients), rows),
    )
    return source.cut(elements, seed)


def _digits() -> Source:
    return Source(
        "digits",
        LogitRows.from_array(recordings.load("digits")),
        targets=recordings.digits_targets().astype(np.int64),
        held_out=recordings.digits_held_out(),
    )


def _attention() -> Source:
    """All recorded attention rows; the first of them have gradients."""
    logits = LogitRows.from_array(recordings.load("attention"))
    _, recorded = recordings.upstream_gradients()
    gradients = np.full(logits.values.shape, np.nan)
    gradients[: len(recorded)] = np.nan_to_num(recorded)
    peaks = np.full(len(gradients), np.nanmax(np.abs(recorded)))
    return Source("attention", logits, gradients=gradients, peaks=peaks)


def _training() -> Source:
    """Attention rows of every recorded step of the training, each step with gradients of its own
    size."""
    recorded = [recordings.training_gradients(step) for step in recordings.training_steps()]
    return Source(
        "training",
        LogitRows.concatenate([LogitRows.from_array(scores) for scores, _ in recorded]),
        gradients=np.concatenate([np.nan_to_num(dp) for _, dp in recorded]),
        peaks=np.concatenate([np.full(len(dp), np.nanmax(np.abs(dp))) for _, dp in recorded]),
    )


def _network(name: str) -> Source:
    """Rows of a pretrained network, with their classes where they have any."""
    targets = recordings.network_targets(name)
    rows = LogitRows.from_array(recordings.load(name))
    return Source(name, rows, targets=targets if targets.size else None)
