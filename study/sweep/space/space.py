"""A space: which configurations a sweep measures and which designs it synthesises, in TOML.

    sources = ["digits", "attention"]   # what the configurations are measured on
    elements = 100_000                  # a source is cut to about as many
    seed = 1                            # of that cut

    [base]                              # a preset, and fields that differ from it everywhere
    preset = "base"
    lanes = 1

    [[grid]]                            # every combination of the axes' values
    name = "widths"
    fixed = { clip = "difference" }
    cases = [                           # fields that change together
        { grad_input = "SQ(1, 7)", grad_output = "SQ(1, 7)" },
        { grad_input = "SQ(1, 15)", grad_output = "SQ(1, 15)" },
    ]
    [grid.axes]
    datapath = ["max_subtract", "exact_sum"]
    mantissa_bits = { from = 10, to = 18, step = 2 }
    output = { from = 6, to = 16, format = "UQ(0, {})" }

    [[design]]                          # a grid whose configurations are synthesised, too
    name = "ecp5"
    target = "ecp5"
    seeds = 1
    axes = { lanes = [1, 2] }

A combination that cannot be built stays in the space, with its reason.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, get_args

from ....golden import ConfigError, SoftmaxConfig, preset
from ....golden import config as configuration
from ....golden.errors import as_text, require, require_whole
from ....golden.formats import Format, parse_format
from ...toml_file import read_toml
from .entries import COST_FIELDS, Candidate, Entry, fields_sha256

SHIPPED = {name: Path(__file__).with_name(f"{name}.toml") for name in ("default", "full")}
"""The spaces that come with the package."""

MAX_COMBINATIONS = 100_000
"""Most combinations of one grid: more are a mistake, not a sweep."""

Fields = dict[str, Any]

_BASE = SoftmaxConfig()
_FORMATS = {f.name for f in dataclasses.fields(_BASE) if isinstance(getattr(_BASE, f.name), Format)}
_NUMBERS = {"range", "scale"}
_LISTS = {"exp_split": "widths", "cutoffs": "words"}
_CHOICES: dict[str, tuple[str, ...]] = {
    "clip": get_args(configuration.Clip),
    "datapath": get_args(configuration.DatapathName),
    "function": get_args(configuration.Function),
    "rounding": get_args(configuration.Rounding),
    "clip_gradient": get_args(configuration.ClipGradient),
}


@dataclass(frozen=True)
class Axis:
    """One direction of a grid.

    Attributes:
        name: of the field, or ``"cases"``.
        values: the fields that each step along it sets.
        ordered: the steps have an order that means something: numbers and formats.
    """

    name: str
    values: tuple[Fields, ...]
    ordered: bool


@dataclass(frozen=True)
class Grid:
    """Every combination of some axes.

    Attributes:
        base: the preset with the space's fields. fixed: fields that differ from it.
    """

    name: str
    base: SoftmaxConfig
    fixed: Fields
    axes: tuple[Axis, ...]

    @property
    def size(self) -> int:
        """Combinations."""
        return prod(len(axis.values) for axis in self.axes)

    def candidate(self, steps: tuple[int, ...]) -> Candidate:
        """The combination of one step along every axis."""
        fields = dict(self.fixed)
        for axis, step in zip(self.axes, steps, strict=True):
            fields |= axis.values[step]
        return made(fields, self.base)

    def candidates(self) -> Iterator[Candidate]:
        """Every combination, the last axis fastest."""
        for steps in product(*(range(len(axis.values)) for axis in self.axes)):
            yield self.candidate(steps)


@dataclass(frozen=True)
class Designs:
    """A grid to synthesise for a device, placed with seeds 1 to ``seeds``."""

    grid: Grid
    target: str
    seeds: int


@dataclass(frozen=True)
class Space:
    """What a sweep covers.

    Attributes:
        name: of the file, for people.
        sources: names of what configurations are measured on.
        elements, seed: how a source is cut.
        grids: configurations to measure. designs: those to synthesise as well.
    """

    name: str
    sources: tuple[str, ...]
    elements: int
    seed: int
    grids: tuple[Grid, ...]
    designs: tuple[Designs, ...]

    @classmethod
    def load(cls, file: Path) -> "Space":
        """Read a space.

        Raises:
            ConfigError: a file that cannot be read, or says what a space cannot be.
        """
        return cls.parse(read_toml("space", Path(file)), Path(file).stem)

    @classmethod
    def parse(cls, content: Mapping[str, Any], name: str) -> "Space":
        """The space that a TOML file's content describes.

        Raises:
            ConfigError: an unknown name, a value of the wrong kind, or nothing to sweep.
        """
        _know("space", content, ("sources", "elements", "seed", "base", "grid", "design"))
        base = _base(_table("base", content.get("base", {})))
        sources = content.get("sources", ["digits", "attention", "training"])
        require(
            isinstance(sources, list)
            and all(isinstance(source, str) and source for source in sources)
            and len(set(sources)) == len(sources) > 0,
            f"sources must be a list of different names, not {sources!r}",
        )
        elements, seed = content.get("elements", 100_000), content.get("seed", 1)
        require_whole("elements", elements, 1, 10**9)
        require_whole("seed", seed, 0, 2**32 - 1)
        grids = tuple(_grid("grid", grid, base) for grid in _tables("grid", content))
        designs = tuple(_designs(design, base) for design in _tables("design", content))
        require(bool(grids or designs), f"space {name} must have a [[grid]] or a [[design]]")
        names = [grid.name for grid in (*grids, *(design.grid for design in designs))]
        require(
            len(set(names)) == len(names),
            f"grids and designs must have different names, not {', '.join(names)}",
        )
        return cls(name, tuple(sources), elements, seed, grids, designs)

    def configurations(self) -> Iterator[Candidate]:
        """Every configuration to measure, and every combination that is not feasible, once.

        Those of the designs are among them, unless one with other lanes is: lanes change no bit.
        """
        seen = set()
        for grid in (*self.grids, *(design.grid for design in self.designs)):
            for candidate in grid.candidates():
                fields = {k: v for k, v in candidate.fields.items() if k not in COST_FIELDS}
                sha = fields_sha256(fields)
                if sha not in seen:
                    seen.add(sha)
                    yield candidate

    def points(self, data: Mapping[str, str], *, bound: bool = True) -> list[Entry]:
        """Entries of every configuration on every source.

        Neighbours share most of their stages, and so does a configuration on several sources:
        sources change fastest.

        Args:
            data: the data hash of every source, by name.
            bound: prove the bounds too.
        """
        return [
            candidate.point(source, sha, bound=bound)
            for candidate in self.configurations()
            for source, sha in data.items()
        ]

    def syntheses(self) -> list[Entry]:
        """Entries of every design, each once."""
        entries: dict[str, Entry] = {}
        for design in self.designs:
            for candidate in design.grid.candidates():
                entry = candidate.design(design.target, design.seeds)
                entries.setdefault(entry.key, entry)
        return list(entries.values())


def made(fields: Fields, base: SoftmaxConfig) -> Candidate:
    """The configuration of some fields, or why there is none."""
    try:
        config = SoftmaxConfig.from_dict(fields, base)
    except ConfigError as error:
        base_fields = base.to_dict()
        base_fields |= {name: getattr(base, name) for name in base.derived}
        return Candidate(base_fields | fields, None, str(error))
    return Candidate(config.to_dict(), config)


def _base(table: Fields) -> SoftmaxConfig:
    chosen = preset(table.get("preset", "base"))
    return SoftmaxConfig.from_dict(
        _fields({k: v for k, v in table.items() if k != "preset"}), chosen
    )


def _designs(table: Fields, base: SoftmaxConfig) -> Designs:
    own = {"target", "seeds"}
    grid = _grid("design", {k: v for k, v in table.items() if k not in own}, base)
    target, seeds = table.get("target", "ecp5"), table.get("seeds", 1)
    require(
        isinstance(target, str) and bool(target),
        f"target of design {grid.name} must be a device's name, not {target!r}",
    )
    require_whole(f"seeds of design {grid.name}", seeds, 1, 1000)
    return Designs(grid, target, seeds)


def _grid(kind: str, table: Fields, base: SoftmaxConfig) -> Grid:
    name = table.get("name", kind)
    require(isinstance(name, str) and bool(name), f"name of a {kind} must be text, not {name!r}")
    _know(f"{kind} {name}", table, ("name", "fixed", "cases", "axes"))
    axes = [_axis(*axis) for axis in _table("axes", table.get("axes", {})).items()]
    if "cases" in table:
        cases = [_fields(case) for case in _list("cases", table["cases"], dict)]
        axes.insert(0, Axis("cases", tuple(cases), ordered=False))
    grid = Grid(name, base, _fields(_table("fixed", table.get("fixed", {}))), tuple(axes))
    require(
        grid.size <= MAX_COMBINATIONS,
        f"{kind} {name} must have at most {MAX_COMBINATIONS:,} combinations, not {grid.size:,}",
    )
    return grid


def _axis(name: str, spec: Any) -> Axis:
    values = _range(name, spec) if isinstance(spec, dict) else _list(f"axis {name}", spec)
    return Axis(name, tuple(_fields({name: value}) for value in values), name not in _CHOICES)


def _range(name: str, spec: Fields) -> list[Any]:
    """The values of ``{ from, to, step, format }``, both ends included."""
    _know(f"axis {name}", spec, ("from", "to", "step", "format"))
    for end in ("from", "to"):
        require(end in spec, f"axis {name} must have from and to where it is a range, not {spec!r}")
        require_whole(f"{end} of axis {name}", spec[end], -(2**40), 2**40)
    low, high, step = spec["from"], spec["to"], spec.get("step", 1)
    require_whole(f"step of axis {name}", step, 1, 2**40)
    require(low <= high, f"axis {name} must have from <= to, not {low} and {high}")
    numbers = range(low, high + 1, step)
    require(
        len(numbers) <= MAX_COMBINATIONS,
        f"axis {name} must have at most {MAX_COMBINATIONS:,} values, not {len(numbers):,}",
    )
    if "format" not in spec:
        return list(numbers)
    template = spec["format"]
    require(
        isinstance(template, str) and template.count("{}") == 1,
        f"format of axis {name} must be text with one {{}}, not {template!r}",
    )
    return [template.replace("{}", str(number)) for number in numbers]


def _fields(fields: Fields) -> Fields:
    """Fields with their values in one spelling, so that equal configurations have equal hashes.

    Raises:
        ConfigError: a name that is no field, or a value that no configuration could have: unlike a
            combination that is not feasible, that is a slip of the pen.
    """
    configuration.require_fields(fields)
    return {name: _value(name, value) for name, value in fields.items()}


def _value(name: str, value: Any) -> Any:
    if name in _FORMATS:
        require(isinstance(value, str), f"{name} must be a format, not {value!r}")
        try:
            return str(parse_format(value))
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None
    if name in _CHOICES:
        choices = _CHOICES[name]
        require(value in choices, f"{name} must be one of {', '.join(choices)}, not {value!r}")
    elif name in _NUMBERS:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        fits = good and (isinstance(value, float) or abs(value) < 2**1000)
        require(fits, f"{name} must be a number, not {as_text(value)}")
        return float(value)
    elif name in _LISTS:
        good = isinstance(value, list) and all(type(one) is int for one in value)
        require(good, f"{name} must be a list of {_LISTS[name]}, not {value!r}")
    else:
        require(type(value) is int, f"{name} must be a whole number, not {value!r}")
    return value


def _know(what: str, table: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in table:
        require(name in names, f"{what} must have only {', '.join(names)}, not {name!r}")


def _table(name: str, value: Any) -> Fields:
    require(isinstance(value, dict), f"{name} must be a table, not {value!r}")
    return value


def _tables(name: str, content: Mapping[str, Any]) -> list[Fields]:
    return _list(f"[[{name}]]", content[name], dict) if name in content else []


def _list(name: str, value: Any, kind: type = object) -> list[Any]:
    good = isinstance(value, list) and bool(value) and all(isinstance(one, kind) for one in value)
    of = " of tables" if kind is dict else ""
    require(good, f"{name} must be a list{of} that is not empty, not {value!r}")
    return value
