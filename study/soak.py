"""Every preset, with every number of lanes and every option, on random rows and hostile streams.

The matrix is far too large for a test run: it is soaked for as long as one likes. Every finished
job is a line of ``results.jsonl``; a soak that starts again goes on behind them, unless the Verilog
of a job has changed. A job repeats from its seed alone.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np

from ..files import write_whole
from ..fpga.exports import exported
from ..golden.config import PRESETS, SoftmaxConfig
from ..golden.errors import require, require_whole
from ..golden.formats import SQ
from ..golden.given import plain
from ..golden.rows import LogitRows
from ..golden.units.registry import unit_sha256
from ..sim.kinds import kind_of
from ..sim.runs import attacked, simulated
from ..sim.verdict import failures

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
)
"""Changes of a preset; each softmax unit is soaked with every number of lanes."""
GRADIENT_OPTIONS = {
    "softmax_backward": (
        {},
        {"rounding": "stochastic", "id_width": 4, "max_length": 37},
        {"clip_gradient": "pass", "dot_guard": 3},
    ),
    "cross_entropy": (
        {},
        {"datapath": "exact_sum"},
        {"clip": "difference", "clip_gradient": "pass"},
        {"datapath": "exact_sum", "scale": 1 / 8**0.5, "id_width": 4, "max_length": 37},
    ),
}
"""Likewise of the other units."""

ROWS, FRAMES = 400, 2000


@dataclass(frozen=True, slots=True)
class Job:
    """One soaked unit, one seed: what was run, and what came out.

    Attributes:
        key: SHA-256 of the Verilog, and the seed.
        label: the unit, in words.
        mismatches, first: see :class:`sim.scoreboard.Score`.
        bound_kept: all that a simulation promises was kept, the proven bound above all.
    """

    key: str
    label: str
    seed: int
    elements: int
    frames: int
    mismatches: int
    first: str
    bound_kept: bool


def units() -> Iterator[tuple[str, str, SoftmaxConfig, str]]:
    """(label, unit, configuration, table style) of the whole matrix, every unit once."""
    seen = set()
    choices = [("softmax", options) for options in OPTIONS]
    choices += [(unit, options) for unit, own in GRADIENT_OPTIONS.items() for options in own]
    for (name, preset), lanes, (unit, options) in product(PRESETS.items(), LANES, choices):
        config = preset.replace(lanes=lanes, **options)
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


def soak(
    folder: Path, *, minutes: float, first_seed: int = 1, tell: Callable[[Job], object]
) -> list[Job]:
    """Run jobs, seed after seed over the whole matrix, until the time is over.

    Args:
        folder: keeps models and results between soaks.
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
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.jsonl"
    done = _finished(results)
    end = time.monotonic() + 60 * minutes
    jobs: list[Job] = []
    seed = first_seed
    while True:
        for label, unit, config, rom in units():
            if time.monotonic() >= end:
                return jobs
            job = _run(folder, label, unit, config, rom, seed, done)
            if job is None:
                continue
            with results.open("a") as file:
                file.write(json.dumps(asdict(job)) + "\n")
            jobs.append(job)
            tell(job)
        seed += 1


def _finished(results: Path) -> set[str]:
    """Keys of the jobs that are done; a line that was only half written is taken out."""
    if not results.exists():
        return set()
    text = results.read_text(errors="replace")
    jobs = {line: key for line in text.splitlines() if (key := _key(line)) is not None}
    whole = "".join(f"{line}\n" for line in jobs)
    if whole != text:
        write_whole(results, whole)
    return set(jobs.values())


def _key(line: str) -> str | None:
    """The key of a job's line; ``None`` where it is no whole one."""
    try:
        job = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return job.get("key") if isinstance(job, dict) else None


def _run(
    folder: Path,
    label: str,
    name: str,
    config: SoftmaxConfig,
    rom: str,
    seed: int,
    done: set[str],
) -> Job | None:
    """A job; nothing where it is done already."""
    unit = exported(config, folder, unit=name, rom=rom)
    key = f"{unit.description['verilog_sha256']} {seed}"
    if key in done:
        return None
    logits = random_rows(config, ROWS, seed)
    rows = kind_of(unit).rows(logits, config, np.random.default_rng(seed))
    shown = simulated(unit, rows, folder, name="rows", seed=seed)
    hostile = attacked(unit, FRAMES, folder, name="hostile", seed=seed)
    found = failures(shown)
    return Job(
        key=key,
        label=label,
        seed=seed,
        elements=shown.score.elements + hostile.elements,
        frames=FRAMES,
        mismatches=shown.score.mismatches + hostile.mismatches,
        first=hostile.first or " ".join(found),
        bound_kept=not found,
    )
