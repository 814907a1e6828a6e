"""What a search tries next: Optuna proposes, and its study remembers what it has proposed.

The study knows nothing that the results table does not: it can be deleted at any time.
"""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from ....golden.errors import ConfigError
from ..results import Results
from ..storage import PATIENCE
from .entries import Candidate, fields_sha256
from .space import Axis
from .task import Task, Tried, combinations, judged, stored_entries

HEARTBEAT = 15
"""Seconds between the signs of life of a trial; after four of them it counts as dead."""

MAX_CACHED, MAX_TOLD = 5_000, 200
"""Most combinations of a space that are looked up in the table before the search begins, and the
best of them that the study is told."""

REPEATS = 5
"""Proposals for every new configuration: a search that only repeats itself ends."""

PAUSE = 0.2
"""Seconds until the study's tables are looked for again."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many different configurations a study knows.

    Attributes:
        cached: that it was told before it began. new: others. proposals: repeated ones included.
    """

    cached: int
    new: int
    proposals: int

    @classmethod
    def of(cls, study: optuna.Study) -> "Count":
        """Count the trials of a study."""
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        cached = {one.user_attrs["config"] for one in finished if "cached" in one.user_attrs}
        proposed = [one.user_attrs["config"] for one in finished if "cached" not in one.user_attrs]
        return cls(len(cached), len(set(proposed) - cached), len(proposed))

    def goes_on(self, task: Task) -> bool:
        """Whether there is more to propose."""
        return (
            self.new < task.trials
            and self.cached + self.new < task.size
            and self.proposals < REPEATS * task.trials
        )


@contextmanager
def opened_study(results: Results, task: Task, seed: int) -> Iterator[optuna.Study]:
    """The study of a task, made where there is none yet.

    Args:
        seed: of its proposals.

    Raises:
        ConfigError: its database fails.
    """
    with _one_sentence(), _quiet():
        sampler: Any = optuna.samplers.TPESampler(seed=seed, n_startup_trials=task.trials // 4 + 1)
        if task.size <= task.trials:
            sampler = optuna.samplers.BruteForceSampler(seed=seed)
        storage = _storage(results.study_url)
        try:
            yield optuna.create_study(
                storage=storage, sampler=sampler, study_name=task.name, load_if_exists=True
            )
        finally:
            storage.remove_session()
            storage.engine.dispose()


def _storage(url: str) -> optuna.storages.RDBStorage:
    options = {"connect_args": {"timeout": PATIENCE}} if url.startswith("sqlite") else {}
    for attempt in range(5):
        try:
            return optuna.storages.RDBStorage(
                url, options, heartbeat_interval=HEARTBEAT, grace_period=4 * HEARTBEAT
            )
        except SQLAlchemyError:
            if attempt == 4:
                raise
            time.sleep(PAUSE)  # two that begin at once both create the tables
    raise AssertionError


def proposed(task: Task, trial: optuna.trial.BaseTrial) -> Candidate:
    """The combination that a trial stands for."""
    number = 0
    if len(task.grids) > 1:
        number = trial.suggest_categorical("grid", range(len(task.grids)))
    steps = []
    for name, axis in _parameters(task, number):
        if axis.ordered:
            steps.append(trial.suggest_int(name, 0, len(axis.values) - 1))
        else:
            steps.append(trial.suggest_categorical(name, range(len(axis.values))))
    return task.grids[number].candidate(tuple(steps))


def to_know(task: Task, study: optuna.Study) -> list[Candidate]:
    """The candidates that a search must know of at its end, each once.

    All of a space that is searched to its end; else what was proposed. Not all of them need be in
    the table: a worker was killed, or the table was deleted and the study was not.
    """
    if task.size <= task.trials:
        found = [candidate for _, _, candidate in combinations(task)]
    else:
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        found = [proposed(task, optuna.trial.FixedTrial(trial.params)) for trial in finished]
    return list({fields_sha256(candidate.fields): candidate for candidate in found}.values())


def _trial(task: Task, number: int, steps: tuple[int, ...], tried: Tried) -> Any:
    """The finished trial of a combination that the table knows."""
    params: dict[str, Any] = {}
    distributions: dict[str, Any] = {}
    if len(task.grids) > 1:
        params["grid"] = number
        choices = range(len(task.grids))
        distributions["grid"] = optuna.distributions.CategoricalDistribution(choices)
    for (name, axis), step in zip(_parameters(task, number), steps, strict=True):
        params[name] = step
        count = len(axis.values)
        if axis.ordered:
            distributions[name] = optuna.distributions.IntDistribution(0, count - 1)
        else:
            distributions[name] = optuna.distributions.CategoricalDistribution(range(count))
    attributes = {"config": fields_sha256(tried.candidate.fields), "cached": True}
    return optuna.trial.create_trial(
        value=tried.value, params=params, distributions=distributions, user_attrs=attributes
    )


def _parameters(task: Task, number: int) -> list[tuple[str, Axis]]:
    grid = task.grids[number]
    return [(f"{grid.name}: {place} {axis.name}", axis) for place, axis in enumerate(grid.axes)]


def tell_cached(results: Results, task: Task, study: optuna.Study) -> None:
    """Tell a new study what the table knows of its space, the best first."""
    if task.size > MAX_CACHED:
        return
    known = list(combinations(task))
    stored = stored_entries(results, task, (candidate for _, _, candidate in known))
    trials = []
    for number, steps, candidate in known:
        tried = judged(task, candidate, stored)
        if tried is not None and candidate.config is not None:
            trials.append(_trial(task, number, steps, tried))
    study.add_trials(sorted(trials, key=lambda trial: trial.value)[:MAX_TOLD])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Optuna logs of every trial, and its note that the heartbeat may yet change."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Whatever goes wrong with the study becomes one sentence."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise ConfigError(f"the study of a search cannot be used: {reason}") from None
