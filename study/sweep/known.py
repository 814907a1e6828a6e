"""What is known of entries, and what is not yet: that is evaluated, and kept as it ends."""

from collections.abc import Callable, Iterable, Iterator

from ...cache import Cache, completed
from ...outcomes import Outcome
from ...sim.testbench import ProgressCallback
from .space.entries import Entry

Run = Callable[[list[Entry]], Iterator[tuple[Entry, Outcome]]]
"""Evaluates entries, each once; tells each with its outcome as they end. See :mod:`..engine`."""


def known(cache: Cache, entries: Iterable[Entry]) -> list[Entry]:
    """Entries as the cache knows them, each once; the others stay as they are."""
    wanted = {entry.key: entry for entry in entries}
    found = cache.of(wanted)
    return [
        entry.with_outcome(found[key]) if key in found else entry for key, entry in wanted.items()
    ]


def evaluate(
    cache: Cache,
    entries: Iterable[Entry],
    run: Run,
    progress: ProgressCallback = lambda _: None,
) -> list[Entry]:
    """Entries once all are known; what failed before is tried again.

    Where it is interrupted, what has ended stays known.

    Args:
        progress: told the share of the entries that is known.

    Raises:
        ConfigError: the cache cannot be used, or nothing can be evaluated.
    """
    wanted = {entry.key: entry for entry in entries}
    open_ones = [entry for entry in wanted.values() if entry.status in ("open", "failed")]
    share_left = len(open_ones) / max(len(wanted), 1)
    found = completed(cache, open_ones, run, lambda share: progress(1 - share_left * (1 - share)))
    return [
        entry.with_outcome(found[key]) if key in found else entry for key, entry in wanted.items()
    ]
