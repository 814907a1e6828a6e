"""The process that checks or times one engine: see :class:`.jobs.Job`."""

import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from ...golden.config import preset
from ...golden.errors import ConfigError, require
from ...golden.torch.engines.registry import engine_for
from .cases import Case
from .check import check_by_golden, check_by_torch, to_check
from .jobs import Job, Place
from .operations import draw, fixed_function, float_function, work
from .run import Run
from .timing import take_turns


def main(given: Path, results: Path) -> None:
    """Do the job of a file; every result is a line of JSON in another."""
    job = Job.from_json(given.read_text())
    torch.set_num_threads(job.place.threads)
    _choose_instructions(job.place)
    with results.open("w") as lines:
        for told in _told(job):
            lines.write(json.dumps(told) + "\n")
            lines.flush()


def _told(job: Job) -> Iterator[dict[str, Any]]:
    yield {"phase": job.phase, **_process(job.place)}
    yield from _checks(job) if job.phase == "check" else _times(job)


def _process(place: Place) -> dict[str, Any]:
    """What this process is, and on what it runs."""
    on_cuda = place.device == "cuda"
    return {
        "engine": place.engine,
        "isa": place.isa,
        "pid": os.getpid(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "processor": torch.cuda.get_device_name() if on_cuda else _processor(),
    }


def _processor() -> str:
    """The processor's name, by the system's list where it has one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _choose_instructions(place: Place) -> None:
    """Hold the compiled engine to some.

    Raises:
        ConfigError: the processor lacks them.
    """
    if not place.isa:
        return
    from ...golden.torch.engines.compiled_engine import CompiledEngine, Isa

    device = torch.device(place.device)
    engine = engine_for(preset("base"), device, place.engine)
    assert isinstance(engine, CompiledEngine)
    engine.isa = Isa[place.isa]
    lacking = engine.absence(preset("base"), device)
    require(not lacking, f"--isa must be one that this processor has, not {place.isa}: {lacking}")


def _checks(job: Job) -> Iterator[dict[str, Any]]:
    """Every case's, up to the first difference.

    Raises:
        ConfigError: the time was over before.
    """
    check = check_by_torch if job.place.device == "cuda" else check_by_golden
    start = perf_counter()
    for case in to_check(job.cases):
        late = perf_counter() - start > job.budget
        require(not late, f"the checks must take at most {job.budget:.0f} s, and do not end then")
        found = check(case, job.place.engine, job.elements)
        yield {"case": case.to_dict(), "checked": found.elements, "difference": found.difference}
        if found.difference:
            return


def _times(job: Job) -> Iterator[dict[str, Any]]:
    """Every case's, without runs once the time is over."""
    timed = _time_on_cuda if job.place.device == "cuda" else _time_on_cpu
    start = perf_counter()
    for case in job.cases:
        late = perf_counter() - start > job.budget
        runs = [] if late else timed(case, job)
        yield {"case": case.to_dict(), "runs": [asdict(run) for run in runs]}


def _time_on_cpu(case: Case, job: Job) -> list[Run]:
    inputs = draw(case.operation, case.shape, "cpu")
    functions = float_function(case, inputs), fixed_function(case, inputs, job.place.engine)
    of_float, of_fixed = (work(case, each, inputs) for each in functions)
    return [take_turns(of_float, of_fixed, job.seconds)]


def _time_on_cuda(case: Case, job: Job) -> list[Run]:
    from .cuda import times_on_cuda

    return times_on_cuda(case, job.place.engine)


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except ConfigError as error:
        sys.exit(str(error))
