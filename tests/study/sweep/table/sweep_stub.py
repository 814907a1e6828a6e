"""An evaluator without a golden model, for processes: it writes down what it evaluates."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from softmaxfx.golden import ConfigError
from softmaxfx.golden.formats import parse_format
from softmaxfx.study.sweep.space.entries import Entry, Measured


@dataclass(frozen=True)
class Stub:
    """Makes the evaluator of a process.

    Attributes:
        folder: of ``log``, a line an evaluation that ended: its key; and of ``begun``, those begun.
        seconds: that an evaluation takes.
        broken: the evaluator cannot be made. deadly: every evaluation kills its process.
    """

    folder: Path
    seconds: float = 0.0
    broken: bool = False
    deadly: bool = False

    def __call__(self):
        if self.broken:
            raise ConfigError("the source must be readable, not this one")
        return self.evaluate

    def evaluate(self, entry: Entry) -> Measured:
        _append(self.folder / "begun", f"{entry.key} {os.getpid()}")
        if self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        bits = parse_format(entry.fields["input"]).width + parse_format(entry.fields["output"]).f
        if entry.fields["lanes"] == 3:
            raise ConfigError("lanes must not be 3 here")
        if entry.fields["lanes"] == 5:
            raise ZeroDivisionError("five")
        _append(self.folder / "log", entry.key)
        if entry.kind == "design":
            slower = entry.fields["datapath"] == "max_subtract"
            return Measured({"lut": 100.0 * bits + 500 * slower, "fmax_mhz": 250.0}, {"yosys": "1"})
        return Measured({"bound_ulp": 0.75, "kl": 2.0**-bits, "max_error_ulp": 1 / 3})


def _append(file: Path, line: str) -> None:
    with file.open("a") as out:  # one write: lines of several processes do not mix
        out.write(f"{line}\n")
