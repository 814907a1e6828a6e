"""What is swept: one configuration on one source, on one device, or a float format beside them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, Literal, get_args

from ....code import code_sha256
from ....golden.config import SoftmaxConfig
from ....golden.errors import require
from ....outcomes import Outcome
from ...tools import tools_of

Kind = Literal["point", "design", "float"]
Status = Literal["open", "done", "infeasible", "failed"]
KINDS: tuple[str, ...] = get_args(Kind)

COST_FIELDS = frozenset(("lanes", "id_width"))
"""Fields that change what a unit costs and no bit of what it computes."""

_MEASURING = (
    "golden", "sim", "files", "study.network_rows", "study.npy_file", "study.recordings",
    "study.scaling", "study.sweep.measure", "study.sweep.evaluate", "outcomes",
)  # fmt: skip
CODE: dict[str, tuple[str, ...]] = {
    "point": _MEASURING,
    "float": _MEASURING,
    "design": ("golden", "hdl", "sim", "fpga", "files", "code", "study.sweep.evaluate", "outcomes"),
}
"""Rooms and modules that results of each kind are made by."""


@dataclass(frozen=True)
class Entry:
    """One figure of a sweep, wanted or known.

    Attributes:
        kind: ``"point"``: a configuration on a source; ``"design"``: one on a device;
            ``"float"``: a float format on a source.
        config_sha256: of all fields. data_sha256: of the source, or of device and seeds.
        code_version: of the package, its files and the tools that results depend on.
        source: the name of the source, or of the device.
        fields: every field of the configuration as JSON values; of a combination that is not
            feasible, ``None`` where a width could not be derived.
        options: how it is evaluated: ``seeds`` of a design, ``bound`` of a point.
        status: ``"open"``, ``"done"``, ``"infeasible"`` or ``"failed"``.
        reason: why it is infeasible or failed, in a sentence.
        metrics: numbers by name, once it is done.
        seconds: that the evaluation took. versions: of the tools it ran.
    """

    kind: Kind
    config_sha256: str
    data_sha256: str
    code_version: str
    source: str
    fields: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    status: Status = "open"
    reason: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """SHA-256 of (config_sha256, data_sha256, code_version): its place in the cache."""
        return sha256(f"{self.config_sha256} {self.data_sha256} {self.code_version}")

    @property
    def long(self) -> bool:
        """Whether it takes long, as place-and-route does."""
        return self.kind == "design"

    def with_outcome(self, outcome: Outcome) -> "Entry":
        """This entry, once it is known."""
        found = outcome.value or {"metrics": {}, "versions": {}}
        return replace(
            self, **found, status=outcome.status, reason=outcome.reason, seconds=outcome.seconds
        )

    @property
    def config(self) -> SoftmaxConfig:
        """The configuration.

        Raises:
            ConfigError: the combination is not feasible, or the entry is a float format.
        """
        return SoftmaxConfig.from_dict(self.fields)


@dataclass(frozen=True)
class Candidate:
    """A configuration of a space, or a combination that cannot be one.

    Attributes:
        fields: every field as JSON values, see :attr:`Entry.fields`.
        config: the configuration; ``None`` where the combination is not feasible.
        reason: why it is not, in a sentence.
    """

    fields: dict[str, Any]
    config: SoftmaxConfig | None
    reason: str = ""

    def point(self, source: str, data_sha256: str, *, bound: bool = True) -> Entry:
        """This configuration on a source.

        Args:
            bound: prove the bounds too; without them it is another entry.
        """
        options = {} if bound else {"bound": False}
        data = data_sha256 if bound else sha256(f"{data_sha256} without bound")
        return self._entry("point", data, source, options)

    def design(self, target: str, seeds: int) -> Entry:
        """This configuration synthesised for a device, placed with seeds 1 to ``seeds``."""
        data = sha256(f"synth {target} seeds 1..{seeds}")
        return self._entry("design", data, target, {"seeds": seeds})

    def _entry(self, kind: Kind, data: str, source: str, options: dict[str, Any]) -> Entry:
        return Entry(
            kind=kind,
            config_sha256=fields_sha256(self.fields),
            data_sha256=data,
            code_version=code_version(kind),
            source=source,
            fields=self.fields,
            options=options,
            status="infeasible" if self.config is None else "open",
            reason=self.reason,
        )


def baseline(name: str, source: str, data_sha256: str) -> Entry:
    """A float format on a source."""
    fields = {"float": name}
    sha = fields_sha256(fields)
    return Entry("float", sha, data_sha256, code_version("float"), source, fields)


def sha256(text: str) -> str:
    """The hash of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def fields_sha256(fields: dict[str, Any]) -> str:
    """The hash of all fields of a configuration."""
    return sha256(json.dumps(fields, sort_keys=True))


def code_version(kind: str) -> str:
    """The package's version, and a hash of the files and tools that results of a kind depend on."""
    made_by = f"{code_sha256(*CODE[kind])} {tools_of(kind)}"
    return f"{version('softmaxfx')} {sha256(made_by)[:16]}"


def require_code(versions: Iterable[str]) -> None:
    """Raise :class:`ConfigError` unless this process has the code that some results are for.

    Files can change between the start of a sweep and that of its last process.
    """
    here = {code_version(kind) for kind in KINDS}
    for expected in versions:
        require(
            expected in here,
            f"code must stay as it is while a sweep runs, {expected}, not change to "
            f"{' and '.join(sorted(here))}; start the sweep again",
        )
