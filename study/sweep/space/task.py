"""What is searched for, and how a configuration fares by what is known of it."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import product

from ....cache import Cache
from ....golden.errors import require, require_whole
from ..known import known
from .entries import Candidate, Entry, code_version, sha256
from .goal import DESIGN_METRICS, POINT_METRICS, Goal, require_metric, width_metrics
from .recipe import changed_fields, command_words, toml_lines
from .space import Grid, Space

PENALTY = 1e12
"""Value of a configuration that misses the goal, above every cost; the miss is added."""


@dataclass(frozen=True)
class Task:
    """What is searched for.

    Attributes:
        goal: comparisons that the configuration must meet on every source that has the metric.
        minimize: the metric that is cheap where it is low; of a point's, the worst source counts.
        data: the data hash of every source, by name.
        target, seeds: of designs.
        trials: configurations to evaluate; a space that has fewer is searched to its end.
        seed: of the proposals.
    """

    space: Space
    goal: Goal
    minimize: str
    data: Mapping[str, str]
    target: str = "ecp5"
    seeds: int = 1
    trials: int = 60
    seed: int = 1

    def __post_init__(self) -> None:
        require_metric("minimize", self.minimize)
        require_whole("trials", self.trials, 1, 100_000)
        require_whole("seeds", self.seeds, 1, 1000)
        require_whole("seed", self.seed, 0, 2**32 - 1)
        require(bool(self.grids), f"space {self.space.name} must have a [[grid]] to search")
        require(bool(self.data), "a search must have at least one source, not none")

    @property
    def grids(self) -> tuple[Grid, ...]:
        """Where proposals come from."""
        return self.space.grids

    @property
    def code(self) -> tuple[str, str]:
        """The code that its results are for."""
        return code_version("point"), code_version("design")

    @property
    def named(self) -> set[str]:
        """The metrics that goal and cost name."""
        return {self.minimize, *(one.metric for one in self.goal.comparisons)}

    @property
    def size(self) -> int:
        """Combinations of the space."""
        return sum(grid.size for grid in self.grids)

    @property
    def name(self) -> str:
        """Of the search: it tells all that its proposals depend on."""
        identity = [
            [{**asdict(grid), "base": grid.base.to_dict()} for grid in self.grids], str(self.goal),
            self.minimize, dict(self.data), self.target, self.seeds, self.trials, self.seed,
            *self.code,
        ]  # fmt: skip
        return f"softmaxfx {sha256(json.dumps(identity, sort_keys=True))[:16]}"

    @property
    def has_designs(self) -> bool:
        """Whether goal or cost ask for a synthesis."""
        return not self.named.isdisjoint(DESIGN_METRICS)

    def points(self, candidate: Candidate) -> list[Entry]:
        """A candidate's entries on all sources."""
        return [candidate.point(source, sha) for source, sha in self.data.items()]

    def design(self, candidate: Candidate) -> Entry:
        """A candidate's synthesis."""
        return candidate.design(self.target, self.seeds)


@dataclass(frozen=True)
class Tried:
    """A configuration, and what is known of it.

    Attributes:
        miss: by how much it misses the goal, 0 where it meets it. cost: what is minimised.
        points: metrics by source. design: metrics of its synthesis, where that was asked for.
        reason: why it could not be evaluated, where that was so.
    """

    candidate: Candidate
    miss: float
    cost: float
    points: dict[str, dict[str, float]] = field(default_factory=dict)
    design: dict[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def value(self) -> float:
        """One number for the study: the cost where the goal is met, else more than any cost."""
        return self.cost if self.miss == 0 else PENALTY * (1 + min(self.miss, 1e6))

    @property
    def toml(self) -> str:
        """The configuration as a file for ``softmaxfx export --config``."""
        fields = self.candidate.fields
        return "\n".join(toml_lines(fields, changed_fields(fields))) + "\n"

    @property
    def command(self) -> str:
        """The command that exports the configuration's Verilog."""
        return " ".join(command_words("export", changed_fields(self.candidate.fields)))


def combinations(task: Task) -> Iterator[tuple[int, tuple[int, ...], Candidate]]:
    """Every combination of the space: number of its grid, steps along the axes, candidate."""
    for number, grid in enumerate(task.grids):
        for steps in product(*(range(len(axis.values)) for axis in grid.axes)):
            yield number, steps, grid.candidate(steps)


def known_entries(cache: Cache, task: Task, candidates: Iterable[Candidate]) -> dict[str, Entry]:
    """What the cache knows of candidates, by key."""
    entries = []
    for candidate in candidates:
        entries += task.points(candidate)
        entries += [task.design(candidate)] if task.has_designs else []
    return {entry.key: entry for entry in known(cache, entries) if entry.status != "open"}


def judged(task: Task, candidate: Candidate, stored: Mapping[str, Entry]) -> Tried | None:
    """How a candidate fares by what is known of it; ``None`` where more must be."""
    nothing = Tried(candidate, math.inf, math.inf, reason=candidate.reason)
    if candidate.config is None:
        return nothing
    widths = width_metrics(candidate.config)
    miss = task.goal.miss(widths)
    if miss > 0:
        return replace(nothing, miss=miss)
    points, reason = _numbers(task.points(candidate), stored)
    if points is None:
        return replace(nothing, reason=reason) if reason else None
    nothing = replace(nothing, points=points)
    names = set().union(*points.values())
    if any(name in POINT_METRICS and name not in names for name in task.named):
        return nothing
    miss = sum(task.goal.miss(metrics) for metrics in points.values())
    if miss > 0:
        return replace(nothing, miss=miss)
    design: dict[str, float] = {}
    if task.has_designs:
        designs, reason = _numbers([task.design(candidate)], stored)
        if designs is None:
            return replace(nothing, reason=reason) if reason else None
        (design,) = designs.values()
        miss = task.goal.miss(design)
    worst = {
        name: max(metrics[name] for metrics in points.values() if name in metrics) for name in names
    }
    cost = {**worst, **widths, **design}[task.minimize]
    return Tried(candidate, miss, cost, points, design)


def _numbers(
    entries: list[Entry], stored: Mapping[str, Entry]
) -> tuple[dict[str, dict[str, float]] | None, str]:
    """Metrics by source once all entries are done; else ``None``, and why they never will be."""
    metrics = {}
    for entry in entries:
        found = stored.get(entry.key)
        if found is not None and found.status in ("infeasible", "failed"):
            return None, found.reason
        if found is None or found.status != "done":
            return None, ""
        metrics[entry.source] = found.metrics
    return metrics, ""
