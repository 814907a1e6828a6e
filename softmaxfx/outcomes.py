"""What becomes of a job: a value, or the sentence that says why there is none."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .golden.errors import ConfigError

Status = Literal["done", "infeasible", "failed"]


class TransientError(ConfigError):
    """A job failed for a reason that may go away, as a missing tool."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job.

    Attributes:
        status: ``"done"``; ``"infeasible"``: it never can be; ``"failed"``: it may be another time.
        value: of JSON, where it is done. reason: a sentence, where it is not.
        seconds: that it took.
    """

    status: Status
    value: Any = None
    reason: str = ""
    seconds: float = 0.0


def outcome_of(work: Callable[[Any], Any], job: Any) -> Outcome:
    """Do a job. Whatever it raises is its outcome: one that fails does not stop the others."""
    start = time.perf_counter()
    try:
        return Outcome("done", work(job), seconds=time.perf_counter() - start)
    except TransientError as error:
        return Outcome("failed", reason=str(error))
    except ConfigError as error:
        return Outcome("infeasible", reason=str(error))
    except (Exception, SystemExit) as error:
        return Outcome("failed", reason=f"{type(error).__name__}: {error}")
