"""Search for the cheapest configuration that meets a goal.

Optuna proposes points of a space and is told what the results table knows of them; what it does
not know is evaluated as in any sweep.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import optuna
from optuna.trial import TrialState

from ...golden.errors import require
from .drain import LEASE, PAUSE, Evaluate, MakeEvaluate, Progress, evaluate_entries, holding
from .results import Results
from .space.entries import Candidate, Entry, fields_sha256, require_code, sha256
from .space.goal import POINT_METRICS
from .space.proposals import Count, opened_study, proposed, tell_cached, to_know
from .space.task import Task, Tried, judged, stored_entries
from .workers import Stopped, orphaned, run_workers, worker_count


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
    results: Results,
    task: Task,
    make: MakeEvaluate,
    *,
    workers: int | None = None,
    lease: float = LEASE,
    progress: Callable[[Progress], object] = lambda _: None,
) -> Found:
    """Search a space; several processes and machines with the same task search together.

    With one worker, the same proposals are made every time.

    Args:
        make, workers, lease: as :func:`.drain.drain` takes them.
        progress: told about once a quarter of a second how many configurations have been tried.

    Raises:
        ConfigError: the storage fails, no source has a metric that was named, or all workers died.
    """
    count = worker_count(workers)
    with opened_study(results, task, task.seed) as study:
        if not study.get_trials(deepcopy=False):
            tell_cached(results, task, study)
        total = min(task.trials, task.size)

        def tick() -> None:
            progress(Progress(min(Count.of(study).new, total), total))

        if Count.of(study).goes_on(task) or _unknown(results, task, study):
            run_workers(
                _work, (results.url, task, task.code, make, lease, count == 1), count,
                tick=tick, lost=results.release,
            )  # fmt: skip
        else:
            tick()
        return _found(results, task, study)


def _work(
    worker: str, url: str, task: Task, code: tuple[str, str], make: MakeEvaluate, lease: float,
    alone: bool,
) -> None:  # fmt: skip
    """A worker process; with others, each makes other proposals."""
    require_code(code)
    results = Results.open(url, create=False)
    seed = task.seed if alone else int(sha256(f"{task.seed} {worker}")[:8], 16)
    evaluate = make()

    def objective(trial: optuna.Trial) -> float:
        try:
            candidate = proposed(task, trial)
            trial.set_user_attr("config", fields_sha256(candidate.fields))
            return _try(results, task, candidate, worker, evaluate, lease).value
        except Stopped:
            study.tell(trial, state=TrialState.FAIL)
            raise

    def goes_on(study: optuna.Study, _: object) -> None:
        if orphaned() or not Count.of(study).goes_on(task):
            study.stop()

    with (
        closing(results),
        holding(results, worker, lease),
        opened_study(results, task, seed) as study,
    ):
        if Count.of(study).goes_on(task):
            study.optimize(objective, callbacks=[goes_on])
        for candidate in _unknown(results, task, study):
            if not orphaned():
                _try(results, task, candidate, worker, evaluate, lease)


def _unknown(results: Results, task: Task, study: optuna.Study) -> list[Candidate]:
    """What a search must know of and does not."""
    candidates = to_know(task, study)
    stored = stored_entries(results, task, candidates)
    return [one for one in candidates if judged(task, one, stored) is None]


def _try(
    results: Results, task: Task, candidate: Candidate, worker: str, evaluate: Evaluate,
    lease: float,
) -> Tried:  # fmt: skip
    """What is known of a candidate, once what is not has been evaluated."""
    stored: dict[str, Entry] = {}
    while (tried := judged(task, candidate, stored)) is None:
        points = task.points(candidate)
        missing = [entry for entry in points if entry.key not in stored]
        # points first: what misses the goal there needs no synthesis
        wanted = missing or [task.design(candidate)]
        results.add(wanted)
        keys = [entry.key for entry in wanted]
        if not evaluate_entries(results, worker, evaluate, keys=keys, lease=lease):
            time.sleep(PAUSE)  # another process is at it, unless it has just finished
        stored |= {
            key: entry
            for key, entry in results.stored(wanted).items()
            if entry.status not in ("open", "claimed")
        }
    return tried


def _found(results: Results, task: Task, study: optuna.Study) -> Found:
    """The outcome by what the table says; the study only tells what was proposed."""
    candidates = to_know(task, study)
    stored = stored_entries(results, task, candidates)
    known = [judged(task, candidate, stored) for candidate in candidates]
    tried = [one for one in known if one is not None and one.candidate.config is not None]
    told = set().union(*(metrics for one in tried for metrics in one.points.values()))
    for name in sorted(task.named & set(POINT_METRICS)):
        require(
            not told or name in told,
            f"goal and minimize must name metrics that a source has, unlike {name}, which none of "
            f"{', '.join(task.data)} has",
        )
    closest = min(tried, key=_rank, default=None)
    best = closest if closest is not None and closest.miss == 0 else None
    return Found(best, closest, len(tried))


def _rank(tried: Tried) -> tuple[float, float, str]:
    """Cheapest first; where costs are equal, always the same."""
    return tried.miss, tried.cost, fields_sha256(tried.candidate.fields)
