"""What a process of its own is told to do, and what it tells.

The processes read a job from a file of JSON, and write a line of JSON for every case.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ...golden.errors import require
from ...sim.environment import own_environment
from ...sim.processes import run_to_end
from .cases import Case

COMMAND = (sys.executable, "-P", "-m", "softmaxfx.study.emulation.worker")
"""The interpreter and the module that do a job; the files of the job and of the results follow."""
CAPABILITIES = {"avx2": "avx2", "portable": "default"}
"""Instructions that torch is held to where the compiled engine is, as it names them."""
CUDA_VARIABLES = ("CUDA_VISIBLE_DEVICES", "CUDA_HOME", "TRITON_CACHE_DIR")

Phase = Literal["check", "time"]
Tell = Callable[[dict[str, Any]], object]
"""Called with what a process tells of a case."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how an engine computes.

    Attributes:
        engine: its name. device: ``"cpu"`` or ``"cuda"``. threads: of torch and of the engine.
        isa: instructions of the compiled engine; empty for all that the processor has.
    """

    engine: str
    device: str = "cpu"
    threads: int = 1
    isa: str = ""

    @property
    def words(self) -> str:
        """It, in words."""
        how = [self.engine, self.isa]
        if self.device == "cpu":
            how.append(f"{self.threads} thread{'s' if self.threads > 1 else ''}")
        return ", ".join(filter(None, how))

    @property
    def environment(self) -> dict[str, str]:
        """Of a process in which it computes."""
        kept = {name: os.environ[name] for name in CUDA_VARIABLES if name in os.environ}
        if self.isa in CAPABILITIES:
            kept["ATEN_CPU_CAPABILITY"] = CAPABILITIES[self.isa]
        return own_environment(**kept)


@dataclass(frozen=True, slots=True)
class Job:
    """What one process does.

    Attributes:
        phase: check the bits, or take the time.
        elements: checked of every output of a case, at least.
        seconds: of the runs of a case on a CPU, at least.
        budget: seconds after which no further case is begun.
    """

    phase: Phase
    place: Place
    cases: list[Case]
    elements: int
    seconds: float = 1.0
    budget: float = float("inf")

    def to_json(self) -> str:
        """As a process reads it."""
        return json.dumps({**asdict(self), "budget": min(self.budget, 1e9)})

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """The job that :meth:`to_json` wrote."""
        fields = json.loads(text)
        cases = [Case.from_dict(case) for case in fields["cases"]]
        return cls(**{**fields, "place": Place(**fields["place"]), "cases": cases})

    def run(self, tell: Tell) -> list[dict[str, Any]]:
        """Do it in a fresh interpreter.

        Returns:
            What the process told: first of itself, then of every case.

        Raises:
            ConfigError: it ended with an error; the sentence has the last line of what it wrote.
        """
        with tempfile.TemporaryDirectory() as name:
            given, log = Path(name) / "job.json", Path(name) / "log"
            given.write_text(self.to_json())
            results = _Lines(Path(name) / "results", tell)
            with log.open("wb") as output:
                status = run_to_end(
                    [*COMMAND, given, results.file],
                    output,
                    env=self.place.environment,
                    tick=results.read,
                )
            results.read()
            said = log.read_text(errors="replace").strip().splitlines()
            require(
                status == 0,
                f"the process of the engine {self.place.words} must end well, not with status "
                f"{status}: {said[-1] if said else 'it said nothing'}",
            )
            return results.told


class _Lines:
    """What a process has told so far, in a file of which the last line may not be whole."""

    def __init__(self, file: Path, tell: Tell) -> None:
        self.file, self.told = file, []
        self._tell = tell

    def read(self) -> None:
        """Tell what is new."""
        if not self.file.exists():
            return
        whole = self.file.read_text().rpartition("\n")[0].splitlines()
        for line in whole[len(self.told) :]:
            self.told.append(json.loads(line))
            self._tell(self.told[-1])
