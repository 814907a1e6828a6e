"""Tasks that do themselves in a folder, and what does them in a worker, whatever the command."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from ..code import code_sha256
from ..fpga.tools import ToolError
from ..golden.errors import require
from ..outcomes import TransientError
from .tools import tools_of


class Task(Protocol):
    """What can be pickled, and is done in a folder that others may use too."""

    def run(self, folder: Path, given: Any) -> Any:
        """Do it; the result is of JSON. ``given`` is what the maker has for all of its tasks."""
        ...


@dataclass(frozen=True)
class MadeBy:
    """What results are made by.

    Attributes:
        kind: of :data:`.tools.LIBRARIES`. rooms: rooms and modules of this package.
    """

    kind: str
    rooms: tuple[str, ...]

    def key(self, *told: Any) -> str:
        """SHA-256 of all that a result depends on: what is told, and what it is made by."""
        told = *told, code_sha256(*self.rooms), tools_of(self.kind)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def versions(self) -> tuple[str, str]:
        """Of code and tools, in this process."""
        return code_sha256(*self.rooms), tools_of(self.kind)

    def require(self, versions: tuple[str, str] | None) -> None:
        """Raise :class:`ConfigError` unless this process has the versions of a command.

        Files can change between the start of a command and that of its last worker.
        """
        (code, tools), (own_code, own_tools) = versions or ("", ""), self.versions()
        require(
            own_code == code,
            "code must stay as it is while a command runs, and be the same on all machines; start "
            "the command again",
        )
        require(own_tools == tools, f"workers must have the tools {tools}, not {own_tools}")


@dataclass(frozen=True)
class Maker:
    """Makes what does tasks; see :class:`..engine.Engine`.

    Attributes:
        folder: of everything generated; where it is ``None``, each process has one of its own, for
            as long as it lives.
        versions: that the process must have.
    """

    folder: Path | None
    made_by: MadeBy
    given: Any = None
    versions: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.versions is None:
            object.__setattr__(self, "versions", self.made_by.versions())

    def __call__(self) -> "Doer":
        self.made_by.require(self.versions)
        if self.folder is not None:
            return Doer(self.folder, self.given)
        scratch = TemporaryDirectory(prefix="softmaxfx-")
        return Doer(Path(scratch.name), self.given, scratch)


@dataclass(frozen=True)
class Doer:
    """Does tasks in a folder."""

    folder: Path
    given: Any = None
    scratch: TemporaryDirectory[str] | None = None  # deleted with this object

    def __call__(self, task: Task) -> Any:
        """The result of a task.

        Raises:
            ToolError: a tool failed on the design.
            TransientError: something else did that may go away, as where a tool is missing.
        """
        try:
            return task.run(self.folder, self.given)
        except ToolError:
            raise
        except ValueError as error:  # a refusal, or rows that do not fit
            raise TransientError(str(error)) from None
