"""Which lines of a unit's Verilog run, and which bits toggle, while everything is thrown at it.

A model with Verilator's counters is driven by rows with pauses, by rows of extreme values and by
hostile frames, every bit compared. What no run reaches is either explained by a reason or listed
as not explained: a hole in the tests, or hardware that nobody needs. Points of one signal are taken
together.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files import write_whole
from .coverage_names import Names
from .coverage_reasons import Missed, bit_of
from .coverage_rows import extreme_rows, ordinary_rows
from .hostile import hostile_stream, run_hostile
from .kinds import kind_of
from .run import simulate
from .sidecar import Unit
from .simulator import build


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was reached.

    Attributes:
        unit: name of the unit. mismatches: of all runs; the figures mean little unless 0.
        lines, toggles: points that there are. missed: those that no run reached.
    """

    unit: str
    mismatches: int
    lines: int
    toggles: int
    missed: tuple[Missed, ...]

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Coverage":
        """From its fields, as JSON keeps them."""
        missed = (Missed(**{**one, "points": tuple(one["points"])}) for one in told["missed"])
        return cls(**{**told, "missed": tuple(missed)})

    def percent(self, kind: str) -> float:
        """Share of the points of a kind that were reached, in percent."""
        total = self.lines if kind == "line" else self.toggles
        lost = sum(len(missed.points) for missed in self.missed if missed.kind == kind)
        return 100 * (total - lost) / total if total else 100.0

    @property
    def unexplained(self) -> tuple[Missed, ...]:
        """What was missed and no reason is known for."""
        return tuple(missed for missed in self.missed if not missed.reason)


def measure(
    unit: Unit, cache: Path, folder: Path, *, rows: int = 600, frames: int = 3000, seed: int = 1
) -> Coverage:
    """Run a unit's model with counters through everything, and read the counters.

    Args:
        cache: directory of built models. folder: working directory, one sub-folder a run, that
            nothing else uses.
        rows: ordinary rows, and extreme ones. frames: hostile frames.

    Raises:
        ConfigError: the model does not build, or does not run to its end.
    """
    model = build(unit, cache, coverage=True)
    rng = np.random.default_rng(seed)
    mismatches = 0
    for name, make in (("rows", ordinary_rows), ("extremes", extreme_rows)):
        drawn = kind_of(unit).rows(make(unit.config, rows, rng), unit.config, rng)
        shown = simulate(unit, model, drawn, folder / name, seed=seed)
        mismatches += shown.score.mismatches
    stream = hostile_stream(unit, frames, seed)
    mismatches += run_hostile(unit, model, stream, folder / "hostile", seed=seed).mismatches
    runs = ("rows/stream", "rows/pace", "extremes/stream", "extremes/pace", "hostile")
    return read(unit, [folder / run / "coverage.dat" for run in runs], mismatches)


def read(unit: Unit, files: Iterable[Path], mismatches: int = 0) -> Coverage:
    """Add up the counters of several runs of one model; those of the testbench are left out."""
    counts: Counter[str] = Counter()
    for file in files:
        for point, count in re.findall(r"^C '(.*)' (\d+)$", file.read_text(), re.MULTILINE):
            counts[point] += int(count)
    names = Names(unit)
    totals: Counter[str] = Counter()
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    highest: Counter[tuple[str, str, str]] = Counter()
    for point, count in counts.items():
        fields = dict(field.split("\2") for field in point.split("\1")[1:])
        if Path(fields["f"]).name != unit.verilog.name or names.idle(fields):
            continue
        kind, module, name, what = names.describe(fields)
        totals[kind] += 1
        group = kind, module, name
        highest[group] = max(highest[group], bit_of(what))
        if not count:
            groups[group].append(what)
    missed = (
        Missed(*group, _where(points, highest[group]), tuple(sorted(points, key=_order)))
        for group, points in sorted(groups.items())
    )
    return Coverage(unit.top, mismatches, totals["line"], totals["toggle"], tuple(missed))


def _order(what: str) -> tuple[int, str]:
    return bit_of(what), what


def _where(points: list[str], highest: int) -> str:
    """Where the bits of a signal lie whose bits go up to ``highest``."""
    bits = sorted({bit_of(what) for what in points})
    if len(bits) == highest + 1:
        return "all bits"
    if bits[-1] - bits[0] + 1 == len(bits):
        if bits[-1] == highest:
            return "top bits"
        if bits[0] == 0:
            return "low bits"
    return f"bits {', '.join(map(str, bits))}"


def write_report(result: Coverage, path: Path) -> None:
    """Write totals, and what was missed with its reason, as Markdown."""
    groups: dict[str, list[Missed]] = defaultdict(list)
    for missed in result.missed:
        groups[missed.reason].append(missed)
    unexplained = groups.pop("", [])
    lines = [
        f"# Coverage of {result.unit}",
        "",
        f"- lines and branches: {result.percent('line'):.2f} % of {result.lines}",
        f"- toggles: {result.percent('toggle'):.2f} % of {result.toggles}",
        f"- mismatches with the golden model: {result.mismatches}",
        "",
        "## Not explained",
        "",
        *(_listed(unexplained) or ["Nothing."]),
    ]
    for reason, members in groups.items():
        lines += ["", f"## {reason}", "", *_listed(members)]
    write_whole(path, "\n".join(lines) + "\n")


def _listed(members: Iterable[Missed]) -> list[str]:
    return [
        f"- {missed.module}: `{missed.name}`, {missed.where}: {_points(missed)}"
        for missed in members
    ]


def _points(missed: Missed) -> str:
    """The points in short: runs of bits that miss the same edges; both unless one is named."""
    edges: dict[str, set[str]] = defaultdict(set)
    for point in missed.points:
        bit, _, edge = point.rpartition(" ")
        edges[bit].add(edge)
    runs: list[tuple[list[str], set[str]]] = []
    for bit, missing in edges.items():
        if runs and runs[-1][1] == missing and bit_of(runs[-1][0][-1]) == bit_of(bit) - 1:
            runs[-1][0].append(bit)
        else:
            runs.append(([bit], missing))
    return ", ".join(_run(bits, missing) for bits, missing in runs)


def _run(bits: list[str], missing: set[str]) -> str:
    last = f" to {bits[-1]}" if len(bits) > 1 else ""
    edge = f" {min(missing)}" if len(missing) == 1 else ""
    return f"{bits[0]}{last}{edge}".strip() or "the signal"
