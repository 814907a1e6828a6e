"""Times of two functions on a CPU that take turns, so that a machine that slows down slows both."""

import gc
from time import perf_counter

from .operations import Work
from .run import Run

LEAST_RUNS, MOST_RUNS = 5, 300


def take_turns(of_float: Work, of_fixed: Work, seconds: float) -> Run:
    """The least time of each of many runs, one of ours after each of torch's.

    Args:
        seconds: that all runs take together, but for ``LEAST_RUNS`` and ``MOST_RUNS`` of each.
    """
    for work in (of_float, of_fixed):
        work()  # what is made once
    gc.collect()
    end, times = perf_counter() + seconds, []
    while len(times) < LEAST_RUNS or (perf_counter() < end and len(times) < MOST_RUNS):
        times.append((_seconds(of_float), _seconds(of_fixed)))
    floats, ours = zip(*times, strict=True)
    return Run("eager", min(floats), min(ours), len(times))


def _seconds(work: Work) -> float:
    """Of one run; dropping its result is not counted."""
    start = perf_counter()
    result = work()
    taken = perf_counter() - start
    del result
    return taken
