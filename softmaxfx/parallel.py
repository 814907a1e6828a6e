"""Work side by side: as many processes as there are processors, results in the order of the jobs.

Processes and not threads: the golden model's stages are short calls, which would wait for each
other.
"""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

from .sim.processes import SIGNALS, end_with_parent, signals_blocked, worker_count
from .sim.testbench import ProgressCallback

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")

LOOK = 0.2
"""Seconds between looks at the workers."""

_shares: Any = []
"""Of a worker process: the share of every job that is done, shared with the parent."""


def side_by_side(
    work: Callable[[Job, ProgressCallback], Outcome],
    jobs: Sequence[Job],
    progress: ProgressCallback,
    *,
    begun: Callable[[Job], object] = lambda _: None,
) -> list[Outcome]:
    """The outcome of every job; the first that fails stops them all.

    Args:
        work: a function of a module; jobs and outcomes can be pickled.
        begun: called with every job, in order, about when its work begins.

    Raises:
        BrokenExecutor: a process was killed. Anything that ``work`` raises.
    """
    if len(jobs) == 1:
        begun(jobs[0])
        return [work(jobs[0], progress)]
    shares = multiprocessing.Array("d", len(jobs), lock=False)
    count = min(len(jobs), worker_count())
    with ProcessPoolExecutor(count, initializer=_begin, initargs=(shares,)) as pool:
        try:
            with signals_blocked(*SIGNALS):  # a worker begins with what its parent makes of them
                futures = [pool.submit(_work, work, job, place) for place, job in enumerate(jobs)]
            _watch(jobs, futures, lambda: progress(sum(shares) / len(jobs)), begun)
        except BaseException:
            # without workers the pool gives up all that is open; it cannot stand cancelled futures
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
    return [future.result() for future in futures]


def _watch(
    jobs: Sequence[Job],
    futures: list[Future[Any]],
    tick: Callable[[], object],
    begun: Callable[[Job], object],
) -> None:
    """Return when all are done; raise what the first of them raises."""
    announced = 0
    unfinished = set(futures)
    while unfinished:
        finished, unfinished = wait(futures, LOOK, FIRST_EXCEPTION)
        while announced < len(jobs) and (futures[announced].running() or futures[announced].done()):
            begun(jobs[announced])
            announced += 1
        for future in finished:
            future.result()
        tick()


def _begin(shares: Any) -> None:
    """The begin of a worker: the parent decides what signals mean, and ends it by SIGTERM."""
    for number in SIGNALS:
        # a handler and not SIG_IGN, which programs that are started here would inherit
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    end_with_parent()
    global _shares
    _shares = shares


def _work(work: Callable[[Job, ProgressCallback], Outcome], job: Job, place: int) -> Outcome:
    def progress(share: float) -> None:
        _shares[place] = share

    outcome = work(job, progress)
    progress(1.0)
    return outcome
