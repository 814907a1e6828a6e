"""Evaluate the open entries of a results table with every processor, and with every machine.

Nothing here knows what an evaluation is: every worker process is handed a function that makes its
evaluator, which may keep what entries have in common.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from ...golden.errors import ConfigError
from .results import Results, Scope
from .space.entries import Entry, Measured, require_code
from .workers import orphaned, run_workers, worker_count

Evaluate = Callable[[Entry], Measured]
"""The numbers of an entry. A :class:`ConfigError` says that it is not feasible."""
MakeEvaluate = Callable[[], Evaluate]
"""Makes the evaluator of a process; it can be pickled."""

LEASE = 60.0
"""Seconds until the claims of a process that was killed expire."""

BATCH = 8
"""Entries claimed at once: neighbours share their stages, and few are left to others at the end."""

PAUSE = 0.2
"""Seconds between looks at a table whose last entries are others'."""


class EvaluationError(ConfigError):
    """An evaluation failed for a reason that may go away: the entry fails, feasible or not."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come, on all machines together.

    Attributes:
        done: entries that need no more work. total: all of them.
    """

    done: int
    total: int


def drain(
    results: Results,
    make: MakeEvaluate,
    *,
    scope: Scope,
    workers: int | None = None,
    lease: float = LEASE,
    progress: Callable[[Progress], object] = lambda _: None,
) -> Counter[str]:
    """Evaluate entries until none is open, and wait for those that others evaluate.

    Any number of processes on any number of machines may do the same at the same time. Where this
    one is interrupted or killed, what is finished stays finished, and what was claimed comes back:
    at once, or when its claim expires.

    Args:
        make: makes an evaluator; called once in every worker.
        scope: the entries that the evaluator can evaluate, see :func:`.results.scope_of`.
        workers: processes; one a processor where it is ``None``.
        lease: seconds until the claims of a process that was killed expire.
        progress: told about once a quarter of a second.

    Returns:
        Entries of the scope by status.

    Raises:
        ConfigError: the storage fails, an evaluator cannot be made, or all workers were killed.
    """
    count = worker_count(workers)

    def tick() -> None:
        counts = results.counts(scope)
        progress(Progress(counts.total() - _left(counts), counts.total()))

    left = _left(results.counts(scope))
    if left:  # a process takes half a second to start
        run_workers(
            _work, (results.url, make, scope, lease), min(count, left),
            tick=tick, lost=results.release,
        )  # fmt: skip
    else:
        tick()
    return results.counts(scope)


def _left(counts: Counter[str]) -> int:
    """Entries that are still open or claimed."""
    return counts["open"] + counts["claimed"]


def evaluate_entries(
    results: Results,
    worker: str,
    evaluate: Evaluate,
    *,
    scope: Scope | None = None,
    keys: list[str] | None = None,
    lease: float = LEASE,
) -> bool:
    """Claim entries, as :meth:`Results.claim` does, and evaluate them.

    Returns:
        Whether there were any.
    """
    claimed = results.claim(worker, BATCH, lease, scope=scope, keys=keys)
    for entry in claimed:
        _evaluate(results, worker, evaluate, entry)
    return bool(claimed)


@contextmanager
def holding(results: Results, worker: str, lease: float) -> Iterator[None]:
    """Extend a worker's claims while it works, and give back at the end what it still holds."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(lease / 4):
            try:
                results.extend(worker, lease)
            except ConfigError:
                continue  # the next beat may succeed; the worker's own calls tell what is wrong

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()
        results.release(worker)


def _work(worker: str, url: str, make: MakeEvaluate, scope: Scope, lease: float) -> None:
    """A worker process."""
    require_code(code for _, code in scope)
    results = Results.open(url, create=False)
    evaluate = make()
    with closing(results), holding(results, worker, lease):
        while not orphaned():
            if evaluate_entries(results, worker, evaluate, scope=scope, lease=lease):
                continue
            # the others may yet be killed: what they hold is ours then
            if not _left(results.counts(scope)):
                return
            time.sleep(PAUSE)


def _evaluate(results: Results, worker: str, evaluate: Evaluate, entry: Entry) -> None:
    start = time.perf_counter()
    try:
        measured = evaluate(entry)
    except EvaluationError as error:
        results.fail(entry, worker, str(error))
    except ConfigError as error:
        results.reject(entry, worker, str(error))
    except Exception as error:  # one entry that cannot be evaluated does not stop the others
        results.fail(entry, worker, f"{type(error).__name__}: {error}")
    else:
        results.finish(entry, worker, measured, time.perf_counter() - start)
