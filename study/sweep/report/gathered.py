"""The rows of a sweep, sorted by what they are: the report knows nothing of where they are kept."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from ....golden.config import ADAPTIVE_FIELDS, BACKWARD_FIELDS, LOSS_FIELDS, SoftmaxConfig
from ....golden.formats import parse_format
from ....golden.types import Bits, Reals
from ..space import recipe

COSTS = frozenset(("lanes", "id_width"))
"""Fields that change what a unit costs, and none of its numbers."""

APART = BACKWARD_FIELDS | LOSS_FIELDS | ADAPTIVE_FIELDS | COSTS | {"clip_gradient"}
"""Fields that change no probability of the softmax unit."""


class Row(Protocol):
    """A row of a sweep.

    Attributes:
        key: unique; rows are sorted by it. kind: ``point``, ``design`` or ``float``.
        source: the source of a point or a baseline; the target of a design.
        fields: of the configuration; ``{"float": NAME}`` of a baseline; of an infeasible
            combination what it was made of.
        status: ``done``, ``infeasible``, ``failed``, or not finished. reason: where it is none.
        metrics: name -> number, of a row that is done.
    """

    @property
    def key(self) -> Any: ...
    @property
    def kind(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, Any]: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def metrics(self) -> Mapping[str, float | None] | None: ...


class Rows(Protocol):
    """Rows of logits, as :class:`golden.rows.LogitRows`."""

    @property
    def values(self) -> Reals: ...
    @property
    def active(self) -> Bits: ...
    @property
    def elements(self) -> int: ...


class Source(Protocol):
    """A named set of rows that points were measured on."""

    @property
    def name(self) -> str: ...
    @property
    def logits(self) -> Rows: ...


def key_text(key: object) -> str:
    """A key as one word; the parts of a compound key joined."""
    return "-".join(map(str, key)) if isinstance(key, tuple | list) else str(key)


@dataclass(frozen=True, eq=False)
class Configuration:
    """A configuration, as people see it. Equal configurations are one object."""

    fields: Mapping[str, Any]

    @cached_property
    def changed(self) -> dict[str, Any]:
        """The fewest fields that describe it."""
        return recipe.changed_fields(self.fields)

    @cached_property
    def label(self) -> str:
        return recipe.label(self.fields, self.changed)

    @cached_property
    def toml(self) -> list[str]:
        """The lines of its file."""
        return recipe.toml_lines(self.fields, self.changed)

    @cached_property
    def command(self) -> list[str]:
        """The words of the command that exports its Verilog."""
        return recipe.command_words("export", self.changed)

    @cached_property
    def probabilities(self) -> str:
        """Equal for configurations whose probabilities are equal."""
        return json.dumps(
            {name: value for name, value in self.fields.items() if name not in APART},
            sort_keys=True,
        )

    @cached_property
    def port_bits(self) -> int:
        """Bits of an element in and out."""
        return self.bits("input") + self.bits("output")

    @cached_property
    def effort(self) -> tuple[int, int, str]:
        """Sorts by bits: of the ports, then inside; equal for equal configurations."""
        inside = self.bits("mantissa_bits") + self.bits("reciprocal_bits")
        return self.port_bits, inside, json.dumps(dict(self.fields), sort_keys=True)

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        return {}  # both of what follows is asked for thousands of times

    def bits(self, name: str) -> int:
        """The bits of a field, 0 where it has none."""
        if name not in self._kept:
            self._kept[name] = recipe.width_of(self.fields, name) or 0
        return self._kept[name]

    def choice(self, free: frozenset[str]) -> str:
        """Equal for configurations that differ in the ``free`` fields alone."""
        if free not in self._kept:
            fixed = {name: value for name, value in self.changed.items() if name not in free}
            self._kept[free] = json.dumps(fixed, sort_keys=True)
        return self._kept[free]


@dataclass(frozen=True, eq=False)
class Point:
    """A configuration measured on a source."""

    key: str
    source: str
    configuration: Configuration
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, eq=False)
class Design:
    """A configuration placed and routed on a target."""

    key: str
    target: str
    configuration: Configuration
    metrics: Mapping[str, float | None]

    @property
    def lanes(self) -> int:
        return int(self.configuration.fields["lanes"])

    @property
    def lut(self) -> float:
        return self.metrics.get("lut") or 0.0

    @property
    def seeds(self) -> int:
        return int(self.metrics.get("seeds") or 1)


@dataclass(frozen=True)
class Refused:
    """A combination that cannot be built, or a row that failed."""

    fields: Mapping[str, Any]
    reason: str
    kind: str

    @property
    def label(self) -> str:
        """The formats, and every field that differs from the defaults, in a line."""
        defaults = SoftmaxConfig().to_dict()
        shown = {
            name: value
            for name, value in self.fields.items()
            if name in ("input", "output") or (value is not None and value != defaults.get(name))
        }
        return ", ".join(f"{name} = {value}" for name, value in shown.items())


@dataclass(frozen=True)
class Gathered:
    """What a sweep found.

    Attributes:
        points, designs: that are done, in the order of their keys.
        baselines: source -> name of a float format -> metrics.
        infeasible: combinations that break a rule, each once. failed: rows that did not come out.
        unfinished: rows that wait or are worked on.
    """

    points: list[Point] = field(default_factory=list)
    designs: list[Design] = field(default_factory=list)
    baselines: dict[str, dict[str, Mapping[str, float | None]]] = field(default_factory=dict)
    infeasible: list[Refused] = field(default_factory=list)
    failed: list[Refused] = field(default_factory=list)
    unfinished: int = 0

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Gathered":
        """Sort rows by what they are; their order does not matter."""
        rows = sorted(rows, key=lambda row: key_text(row.key))
        waiting = sum(row.status not in ("done", "infeasible", "failed") for row in rows)
        found, known, refused = cls(unfinished=waiting), {}, {}
        for row in rows:
            if row.status == "done":
                found._take(row, known)
            elif row.status in ("infeasible", "failed"):
                refusal = Refused(dict(row.fields), row.reason or "no reason was told", row.kind)
                refused.setdefault((row.status, refusal.label, refusal.reason), refusal)
        found.infeasible.extend(r for (status, *_), r in refused.items() if status == "infeasible")
        found.failed.extend(r for (status, *_), r in refused.items() if status == "failed")
        return found

    def _take(self, row: Row, known: dict[str, Configuration]) -> None:
        metrics = dict(row.metrics or {})
        if row.kind == "float":
            self.baselines.setdefault(row.source, {})[row.fields["float"]] = metrics
            return
        spelled = json.dumps(dict(row.fields), sort_keys=True)
        configuration = known.setdefault(spelled, Configuration(dict(row.fields)))
        if row.kind == "design":
            self.designs.append(Design(key_text(row.key), row.source, configuration, metrics))
            return
        bound = metrics.get("bound_ulp")
        if bound is not None:
            metrics["bound_absolute"] = bound * parse_format(row.fields["output"]).lsb
        self.points.append(Point(key_text(row.key), row.source, configuration, metrics))

    @cached_property
    def sources(self) -> list[str]:
        """The names of the sources, the recorded ones first."""
        names = {point.source for point in self.points} | set(self.baselines)
        recorded = ("digits", "attention", "training")
        return sorted(names, key=lambda name: (name not in recorded, _place(recorded, name), name))

    @cached_property
    def targets(self) -> list[str]:
        """The targets of the designs, the one with most designs first."""
        counts: dict[str, int] = {}
        for design in self.designs:
            counts[design.target] = counts.get(design.target, 0) + 1
        return sorted(counts, key=lambda target: (-counts[target], target))

    def of_source(self, source: str) -> list[Point]:
        """The points of a source."""
        return [point for point in self.points if point.source == source]

    @cached_property
    def areas(self) -> dict[str, list[Design]]:
        """Designs by what their configuration's probabilities are."""
        areas: dict[str, list[Design]] = {}
        for design in self.designs:
            areas.setdefault(design.configuration.probabilities, []).append(design)
        return areas


def _place(names: tuple[str, ...], name: str) -> int:
    return names.index(name) if name in names else len(names)
