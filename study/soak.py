"""Every preset, with every number of lanes and every option, on random rows and hostile streams.

The matrix is far too large for a test run: it is soaked for as long as one likes. What a finished
job found is kept in a cache; a soak that starts again goes on behind, unless code or tools have
changed since. A job repeats from its seed alone.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from typing import Any

import numpy as np

from ..cache import Cache
from ..fpga.exports import exported
from ..golden.config import PRESETS, SoftmaxConfig
from ..golden.errors import require, require_whole
from ..golden.formats import SQ
from ..golden.given import plain
from ..golden.rows import LogitRows
from ..golden.units.registry import unit_sha256
from ..outcomes import Outcome
from ..sim.kinds import kind_of
from ..sim.runs import attacked, simulated
from ..sim.verdict import failures
from .tasks import MadeBy

LANES = (1, 2, 4, 8, 16)
OPTIONS = (
    {},
    {"datapath": "exact_sum"},
    {"clip": "difference"},
    {"id_width": 4, "max_length": 37},
    {"scale": 1 / 8**0.5},
    {"function": "log_softmax", "output": SQ(6, 10)},
    {"datapath": "exact_sum", "scale": 1 / 8**0.5, "id_width": 4, "max_length": 37},
    {"datapath": "exact_sum", "function": "log_softmax", "output": SQ(6, 10)},
    {"output_exponent": "row"},
    {"datapath": "exact_sum", "clip": "difference", "output_exponent": "row", "max_length": 70},
    {"datapath": "exact_sum", "max_length": 90, "buffer_length": 20, "id_width": 3},
    {
        "datapath": "exact_sum", "clip": "difference", "output_exponent": "row",
        "max_length": 64, "buffer_length": 16,
    },
)  # fmt: skip
"""Changes of a preset; each softmax unit is soaked with every number of lanes."""
GRADIENT_OPTIONS = {
    "softmax_backward": (
        {},
        {"rounding": "stochastic", "id_width": 4, "max_length": 37},
        {"clip_gradient": "pass", "dot_guard": 3},
        {"output_exponent": "row", "max_length": 70},
    ),
    "cross_entropy": (
        {},
        {"datapath": "exact_sum"},
        {"clip": "difference", "clip_gradient": "pass"},
        {"datapath": "exact_sum", "scale": 1 / 8**0.5, "id_width": 4, "max_length": 37},
        {"datapath": "exact_sum", "output_exponent": "row", "max_length": 70},
        {"datapath": "exact_sum", "max_length": 90, "buffer_length": 20, "id_width": 3},
        {
            "datapath": "exact_sum", "clip": "difference", "output_exponent": "row",
            "max_length": 64, "buffer_length": 16,
        },
    ),
    "adaptive_softmax": (
        {},
        {"prediction": "greedy", "max_length": 70, "id_width": 4},
        {"datapath": "exact_sum", "vocabulary": 90, "cutoffs": (7, 9, 12, 20, 40, 41, 60)},
        {"datapath": "exact_sum", "prediction": "greedy", "output_exponent": "row",
         "max_length": 37},
    ),
}  # fmt: skip
"""Likewise of the other units."""

ROWS, FRAMES = 400, 2000


MADE_BY = MadeBy(
    "simulation",
    ("golden", "hdl", "sim", "fpga", "files", "code", "outcomes", "study.soak", "study.tasks"),
)
"""What a job finds."""


@dataclass(frozen=True)
class Task:
    """A unit that is to be soaked with a seed.

    Attributes:
        label: the unit, in words. rom: the style of its tables.
        rows: random ones. frames: hostile ones.
    """

    label: str
    unit: str
    config: SoftmaxConfig
    rom: str
    seed: int
    rows: int
    frames: int

    @property
    def long(self) -> bool:
        """It builds a model."""
        return True

    @property
    def key(self) -> str:
        """SHA-256 of all that its outcome depends on."""
        given = [self.unit, self.config.to_dict(), self.rom, self.seed, self.rows, self.frames]
        return MADE_BY.key(*given)

    def run(self, folder: Path, given: None = None) -> dict[str, Any]:
        """The fields of a job that were found.

        Raises:
            ConfigError: a tool is missing, or failed.
        """
        unit = exported(self.config, folder, unit=self.unit, rom=self.rom)
        logits = random_rows(self.config, self.rows, self.seed)
        rows = kind_of(unit).rows(logits, self.config, np.random.default_rng(self.seed))
        shown = simulated(unit, rows, folder, name="rows", seed=self.seed)
        hostile = attacked(unit, self.frames, folder, name="hostile", seed=self.seed)
        found = failures(shown)
        return {
            "elements": shown.score.elements + hostile.elements,
            "frames": self.frames,
            "mismatches": shown.score.mismatches + hostile.mismatches,
            "first": hostile.first or " ".join(found),
            "bound_kept": not found,
        }


@dataclass(frozen=True, slots=True)
class Job:
    """One soaked unit, one seed: what was run, and what came out.

    Attributes:
        label: the unit, in words.
        mismatches, first: see :class:`sim.scoreboard.Score`; ``first`` is the reason where the job
            did not come to its end.
        bound_kept: all that a simulation promises was kept, the proven bound above all.
    """

    label: str
    seed: int
    elements: int
    frames: int
    mismatches: int
    first: str
    bound_kept: bool

    @property
    def failed(self) -> bool:
        """Whether anything was wrong."""
        return bool(self.mismatches) or not self.bound_kept

    @classmethod
    def of(cls, task: Task, outcome: Outcome) -> "Job":
        """What became of a task."""
        if outcome.status != "done":
            return cls(task.label, task.seed, 0, 0, 0, outcome.reason, False)
        return cls(task.label, task.seed, **outcome.value)


def changed(preset: SoftmaxConfig, options: Mapping[str, Any]) -> SoftmaxConfig:
    """A preset with an option; logarithms have no exponent, and hold what the preset's range asks
    for."""
    if options.get("function") == "log_softmax":
        wide = {"output": SQ(10, 6)} if preset.range > 16 else {}
        options = {**options, "output_exponent": "none", **wide}
    return preset.replace(**options)


def units() -> Iterator[tuple[str, str, SoftmaxConfig, str]]:
    """(label, unit, configuration, table style) of the whole matrix, every unit once."""
    seen = set()
    choices = [("softmax", options) for options in OPTIONS]
    choices += [(unit, options) for unit, own in GRADIENT_OPTIONS.items() for options in own]
    for (name, preset), lanes, (unit, options) in product(PRESETS.items(), LANES, choices):
        config = changed(preset, options).replace(lanes=lanes)
        if (key := (unit, unit_sha256(unit, config))) not in seen:
            seen.add(key)
            words = "".join(f" {key}={value}" for key, value in options.items())
            yield f"{unit} {name} lanes={lanes}{words}", unit, config, "memory"
    yield "softmax tiny rom=case", "softmax", PRESETS["tiny"], "case"


def random_rows(config: SoftmaxConfig, count: int, seed: int) -> LogitRows:
    """Rows of all lengths and spreads, with ties, masked elements and values beyond the range."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, config.max_length + 1, count)
    lengths[: count // 4] = rng.integers(1, min(11, config.max_length + 1), count // 4)
    lengths[:2] = 1, config.max_length
    spread = np.exp(rng.uniform(np.log(config.input.lsb), np.log(2 * config.range), (count, 1)))
    values = rng.normal(0, spread, (count, config.max_length))
    flat = rng.random(count) < 0.1
    values[flat] = np.round(values[flat])
    values[rng.random(values.shape) < 0.05] = -np.inf
    values[rng.integers(2, count)] = -np.inf
    values[np.arange(config.max_length) >= lengths[:, None]] = np.nan
    return LogitRows.from_array(values)


Run = Callable[[Iterator[Task]], Iterator[tuple[Task, Outcome]]]
"""Does tasks, and tells each with its outcome as they end. See :mod:`..engine`."""


def soak(
    cache: Cache, run: Run, *, minutes: float, first_seed: int = 1, tell: Callable[[Job], object]
) -> list[Job]:
    """Run jobs, seed after seed over the whole matrix, until the time is over.

    Args:
        cache: keeps what was found; what was well is not run again.
        tell: called with every finished job.

    Returns:
        The jobs of this call.

    Raises:
        ConfigError: minutes that are no number from 0 on, or a seed outside 32 bits.
    """
    minutes, first_seed = plain(minutes), plain(first_seed)
    require(
        isinstance(minutes, int | float) and 0 <= minutes < math.inf,
        f"minutes must be a number from 0 on, not {minutes!r}",
    )
    require_whole("seed", first_seed, 0, 2**32 - 1)
    jobs: list[Job] = []
    for task, outcome in run(_tasks(cache, first_seed, time.monotonic() + 60 * minutes)):
        job = Job.of(task, outcome)
        if not job.failed:
            cache.put({task.key: outcome})
        jobs.append(job)
        tell(job)
    return jobs


def _tasks(cache: Cache, first_seed: int, end: float) -> Iterator[Task]:
    """What is not known to be well, until the time is over."""
    matrix = list(units())
    for seed in count(first_seed):
        tasks = [Task(*one, seed, ROWS, FRAMES) for one in matrix]
        known = cache.of(task.key for task in tasks)
        for task in tasks:
            if time.monotonic() >= end:
                return
            if task.key not in known:
                yield task
