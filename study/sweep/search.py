"""Search for the cheapest configuration that meets a goal.

Optuna proposes points of a space, some at a time, and is told what becomes of them; what is not
known yet is evaluated as in any sweep.
"""

from dataclasses import dataclass

from ...cache import Cache
from ...golden.errors import require
from ...sim.testbench import ProgressCallback
from .known import Run, evaluate
from .space.entries import Candidate, fields_sha256
from .space.goal import POINT_METRICS
from .space.proposals import Count, candidates_of, new_study, proposed, tell_known
from .space.task import Task, Tried, combinations, judged, known_entries

ROUND = 8
"""Proposals at a time, however many workers there are: the same are made with any number."""


@dataclass(frozen=True)
class Found:
    """What a search ends with.

    Attributes:
        best: the cheapest configuration that meets the goal; ``None`` where none does.
        closest: the configuration that misses it least; ``best`` where there is one.
        tried: different configurations that are known.
    """

    best: Tried | None
    closest: Tried | None
    tried: int


def search(
    cache: Cache,
    task: Task,
    run: Run,
    progress: ProgressCallback = lambda _: None,
) -> Found:
    """Search a space. The same task finds the same, however often it was interrupted.

    Args:
        run: evaluates entries, as :func:`.known.evaluate` is given it.
        progress: told the share of the configurations that has been tried.

    Raises:
        ConfigError: the cache cannot be used, no source has a metric that was named, or nothing
            can be evaluated.
    """
    if task.size <= task.trials:  # nothing to choose
        return _found(task, _try(cache, task, [one for _, _, one in combinations(task)], run))
    with new_study(task) as study:
        tell_known(cache, task, study)
        while (count := Count.of(study)).goes_on(task):
            trials = [study.ask() for _ in range(min(ROUND, task.trials - count.new))]
            candidates = [proposed(task, trial) for trial in trials]
            for trial, tried in zip(trials, _try(cache, task, candidates, run), strict=True):
                trial.set_user_attr("config", fields_sha256(tried.candidate.fields))
                study.tell(trial, tried.value)
            progress(Count.of(study).new / task.trials)
        return _found(task, _try(cache, task, candidates_of(task, study), run))


def _try(cache: Cache, task: Task, candidates: list[Candidate], run: Run) -> list[Tried]:
    """What is known of candidates, once what is not has been evaluated."""
    while True:
        stored = known_entries(cache, task, candidates)
        tried = [judged(task, candidate, stored) for candidate in candidates]
        known = [one for one in tried if one is not None]
        if len(known) == len(tried):
            return known
        wanted = []
        for candidate, one in zip(candidates, tried, strict=True):
            if one is None:
                # points first: what misses the goal there needs no synthesis
                missing = [point for point in task.points(candidate) if point.key not in stored]
                wanted += missing or [task.design(candidate)]
        evaluate(cache, wanted, run)


def _found(task: Task, known: list[Tried]) -> Found:
    """The outcome of a search by all that it has tried."""
    tried = [one for one in known if one.candidate.config is not None]
    measured = set().union(*(metrics for one in tried for metrics in one.points.values()))
    for name in sorted(task.named & set(POINT_METRICS)):
        require(
            not measured or name in measured,
            f"goal and minimize must name metrics that a source has, unlike {name}, which none of "
            f"{', '.join(task.data)} has",
        )
    closest = min(tried, key=_rank, default=None)
    best = closest if closest is not None and closest.miss == 0 else None
    return Found(best, closest, len(tried))


def _rank(tried: Tried) -> tuple[float, float, str]:
    """Cheapest first; where costs are equal, always the same."""
    return tried.miss, tried.cost, fields_sha256(tried.candidate.fields)
