"""What a search tries next: Optuna proposes, and its study remembers what it has proposed.

The study lives as long as the command. The same proposals are made the next time, and what they
ask for is known then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import TrialState

from ....cache import Cache
from ....golden.errors import ConfigError
from ....outcomes import Outcome
from .entries import Candidate, fields_sha256
from .space import Axis
from .task import Task, Tried, combinations, judged, known_entries

MAX_CACHED, MAX_TOLD = 5_000, 200
"""Most combinations of a space that are looked up in the cache before the search begins, and the
best of them that the study is told."""

REPEATS = 5
"""Proposals for every new configuration: a search that only repeats itself ends."""


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
def new_study(task: Task) -> Iterator[optuna.Study]:
    """A study that proposes the same each time it is told the same.

    Raises:
        ConfigError: Optuna fails.
    """
    with _one_sentence(), _quiet():
        sampler = optuna.samplers.TPESampler(seed=task.seed, n_startup_trials=task.trials // 4 + 1)
        yield optuna.create_study(sampler=sampler)


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


def candidates_of(task: Task, study: optuna.Study) -> list[Candidate]:
    """What a study has proposed or was told, each once."""
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    found = [proposed(task, optuna.trial.FixedTrial(trial.params)) for trial in finished]
    return list({fields_sha256(candidate.fields): candidate for candidate in found}.values())


def _trial(task: Task, number: int, steps: tuple[int, ...], tried: Tried) -> Any:
    """The finished trial of a combination that is known."""
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


def tell_known(cache: Cache, task: Task, study: optuna.Study) -> None:
    """Tell a new study what was known of its space when it was first searched, the best first.

    The cache remembers what that was: what becomes known later changes no proposal.
    """
    if task.size > MAX_CACHED:
        return
    remembered = cache.of([task.name])
    if remembered:
        wanted = [(number, tuple(steps)) for number, steps in remembered[task.name].value]
        combined = [
            (number, steps, task.grids[number].candidate(steps)) for number, steps in wanted
        ]
    else:
        combined = list(combinations(task))
    stored = known_entries(cache, task, (candidate for _, _, candidate in combined))
    trials = []
    for number, steps, candidate in combined:
        tried = judged(task, candidate, stored)
        if tried is not None and candidate.config is not None:
            trials.append((number, steps, _trial(task, number, steps, tried)))
    best = sorted(trials, key=lambda trial: trial[2].value)[:MAX_TOLD]
    study.add_trials([trial for _, _, trial in best])
    if not remembered:
        places = [[number, list(steps)] for number, steps, _ in best]
        cache.put({task.name: Outcome("done", places)})


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what Optuna logs of every trial."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Whatever goes wrong with the study becomes one sentence."""
    try:
        yield
    except optuna.exceptions.OptunaError as error:
        raise ConfigError(f"the search failed: {' '.join(str(error).split())}") from None
