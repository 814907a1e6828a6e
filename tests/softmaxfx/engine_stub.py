"""Jobs for real worker processes, which write down what they do."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from softmaxfx.golden import ConfigError
from softmaxfx.outcomes import TransientError
from softmaxfx.sim.processes import worker_count


@dataclass(frozen=True)
class StubJob:
    """A job.

    Attributes:
        number: its value is the square. long: see :class:`softmaxfx.engine.Job`.
        act: what it does instead. seconds: that it takes.
    """

    number: int
    act: str = ""
    long: bool = False
    seconds: float = 0.0

    @property
    def key(self) -> str:
        return f"job {self.number}"


@dataclass(frozen=True)
class Stub:
    """Makes what does the jobs.

    Attributes:
        folder: of ``begun`` and ``ended``, a line a job: its number and its process.
        broken: it cannot be made.
    """

    folder: Path
    broken: bool = False

    def __call__(self):
        if self.broken:
            raise ConfigError("the source must be readable, not this one")
        return self.work

    def work(self, job: StubJob) -> dict[str, int]:
        self._append("begun", job)
        time.sleep(job.seconds)
        match job.act:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "memory":
                memory = bytearray(600_000_000)
                memory[::4096] = b"x" * len(memory[::4096])
                time.sleep(30)
            case "infeasible":
                raise ConfigError("number must be even, not odd")
            case "transient":
                raise TransientError("yosys must be installed")
            case "defect":
                raise ZeroDivisionError("five")
            case "exit":
                raise SystemExit(3)
        self._append("ended", job)
        return {"square": job.number**2}

    def _append(self, name: str, job: StubJob) -> None:
        with (self.folder / name).open("a") as out:  # one write: lines of processes do not mix
            out.write(f"{job.number} {os.getpid()}\n")


def counting():
    """Makes what tells how many processes a job may start."""
    return lambda job: worker_count()
