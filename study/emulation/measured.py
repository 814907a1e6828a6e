"""Checks every engine and then times it, each in processes of its own; and what they told."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from ...golden.errors import require
from ...sim.testbench import ProgressCallback
from .cases import BACKWARD, BOTH, Case
from .jobs import Job, Phase, Place
from .run import Run

LIMIT = 340.0
"""Seconds that checks and times on a GPU take together, at most."""


@dataclass(frozen=True, slots=True)
class Result:
    """A case that was timed.

    Attributes:
        checked: elements of each of its outputs that equal the golden model's.
        run: how long it took; None where the time was over.
    """

    place: Place
    case: Case
    checked: int
    run: Run | None


@dataclass(frozen=True, slots=True)
class Measured:
    """What all processes told.

    Attributes:
        processes: a record each, of JSON.
        difference: the first bit that is not the golden model's, in words; nothing is timed then.
    """

    processes: list[dict[str, Any]]
    results: list[Result]
    difference: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes:
        places: all of one device.
        elements: checked of each output of a case, at least.
        seconds: of the runs of a case on a CPU, at least.
    """

    places: list[Place]
    cases: list[Case]
    elements: int
    seconds: float = 1.0

    def measure(self, working: Callable[[str], Any]) -> Measured:
        """Check all, then time all.

        Args:
            working: a context manager for a label, which gives a callback for the share done.

        Raises:
            ConfigError: a process did not come to its end.
        """
        start, processes = perf_counter(), []
        checked: dict[tuple[Place, Case], int] = {}
        for place in self.places:
            process, *told = self._told("check", place, working, LIMIT)
            processes.append(process)
            if difference := told[-1]["difference"]:
                return Measured(processes, [], difference)
            checked |= {(place, Case.from_dict(one["case"])): one["checked"] for one in told}
        results = []
        for place in self.places:
            process, *told = self._told("time", place, working, LIMIT - perf_counter() + start)
            processes.append(process)
            results += [result for one in told for result in _results(place, one, checked)]
        return Measured(processes, results)

    def _told(
        self, phase: Phase, place: Place, working: Callable[[str], Any], left: float
    ) -> list[dict[str, Any]]:
        budget = left if place.device == "cuda" else float("inf")
        job = Job(phase, place, self.cases, self.elements, self.seconds, budget)
        with working(f"{place.words}: {WORDS[phase]}") as progress:
            told = job.run(_counted(progress, self.cases))
        require(len(told) > 1, f"the process of the engine {place.words} must tell of a case")
        return told


WORDS: dict[Phase, str] = {"check": "checking bits", "time": "taking times"}


def _counted(progress: ProgressCallback, cases: list[Case]) -> Callable[[dict[str, Any]], None]:
    """Tells progress of the case that was just done, by its place among all."""

    def tell(one: dict[str, Any]) -> None:
        if "case" in one:
            progress((cases.index(Case.from_dict(one["case"])) + 1) / len(cases))

    return tell


def _results(
    place: Place, told: dict[str, Any], checked: dict[tuple[Place, Case], int]
) -> list[Result]:
    case = Case.from_dict(told["case"])
    whole = replace(case, operation=BOTH) if case.operation == BACKWARD else case
    runs = [Run(**run) for run in told["runs"]] or [None]
    return [Result(place, case, checked[place, whole], run) for run in runs]
