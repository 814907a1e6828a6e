"""Runs of a unit in its testbench: words in, words out."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..golden.errors import ConfigError
from .beats import recorded_bytes
from .sidecar import Unit
from .simulator import Model, run_cocotb

ProgressCallback = Callable[[float], object]
"""Called with the share of the work that is done."""

SPARE_BEATS = 100
"""Beats that an output may give beyond what is expected before the run is ended."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """How the neighbours of a unit behave.

    Attributes:
        pauses: they pause at random, or never.
        seed: of the pauses.
        blocked: streams on which they never offer, or never accept, a beat.
        freed_after: phases of the pauses after which blocked streams are like others; never, where
            ``None``. The testbench waits some 20 phases before it takes the unit for hung.
        answer: cycles after which rows that a unit asks for are offered; with 0 they do not wait
            for that.
    """

    pauses: bool
    seed: int
    blocked: frozenset[str] = frozenset()
    freed_after: int | None = None
    answer: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the testbench recorded, as bytes of its files.

    Attributes:
        outputs: words of the beats of every output stream. accepted: cycles in which beats of every
            input stream were accepted.
        hung: nothing moved any more before every beat had passed.
        flooded: the run was ended because beats came out without end.
    """

    outputs: dict[str, bytes]
    accepted: dict[str, bytes]
    hung: bool
    flooded: bool


def run(
    unit: Unit,
    model: Model,
    words: Mapping[str, bytes],
    folder: Path,
    neighbours: Neighbours,
    *,
    expected: Mapping[str, int],
    most: Mapping[str, int] = MappingProxyType({}),
    resets: int = 0,
    waves: bool = False,
    progress: ProgressCallback = lambda _: None,
) -> Recorded:
    """Stream words through a model under cocotb.

    Args:
        words: content of ``NAME.in`` of every input stream.
        folder: working directory of the run, kept afterwards.
        expected: beats of every output stream after the last reset: the run goes on until they
            have come, nothing moves any more, or far more have come.
        most: beats of every output stream between two resets, where they may be more than after
            the last.
        resets: reset words of each stream.
        progress: called now and then, by the beats that have come.

    Raises:
        ConfigError: the simulator did not run to its end; says where the log is.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in words.items():
        (folder / f"{name}.in").write_bytes(content)
    job = {
        "pauses": neighbours.pauses,
        "seed": neighbours.seed,
        "blocked": sorted(neighbours.blocked),
        "freed_after": neighbours.freed_after,
        "streams": [stream.name for stream in unit.streams],
        "expected": dict(expected),
        "most": {
            name: max(beats, most.get(name, 0)) + SPARE_BEATS for name, beats in expected.items()
        },
        "resets": resets,
        "answer": neighbours.answer,
        "rounding_seed": unit.seed or 0,
    }
    (folder / "job.json").write_text(json.dumps(job))
    total = sum(expected[stream.name] * recorded_bytes(stream) for stream in unit.outputs)
    files = [folder / f"{stream.name}.out" for stream in unit.outputs]

    def tick() -> None:
        written = sum(file.stat().st_size for file in files if file.exists())
        progress(min(written / max(total, 1), 1.0))

    reason = ""
    try:
        run_cocotb(model, "softmaxfx.sim.cocotb_entry", folder, waves=waves, tick=tick)
    except RuntimeError as error:
        reason = f": {error}"
    if reason or not (folder / "finished.json").exists():
        raise ConfigError(
            f"the simulation did not run to its end{reason} (log: {folder / 'sim.log'})"
        )
    ended = json.loads((folder / "finished.json").read_text())
    return Recorded(
        outputs={file.stem: file.read_bytes() for file in files},
        accepted={name: (folder / f"{name}.accepted").read_bytes() for name in words},
        hung=ended["hung"],
        flooded=ended["flooded"],
    )
