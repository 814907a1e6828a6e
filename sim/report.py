"""Shows simulations: a table, a JSON file, and a picture of the errors."""

import dataclasses
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from ..files import json_text, png, write_whole
from ..golden.measures.catalogue import metric_of
from ..golden.measures.metric import Metric
from ..golden.types import Integers, Reals
from .run import Simulation
from .verdict import failures

_Fields = dict[str, Any]

BINS = 96
"""Of the picture, along both axes."""


@dataclass(frozen=True, eq=False, slots=True)
class Histogram:
    """How often which error occurs at which probability.

    Attributes:
        probability: edges of the bins in log2 p, at the left those of p = 0.
        error: edges of the bins, in output LSB.
        counts: elements, (probability, error).
    """

    probability: Reals
    error: Reals
    counts: Integers

    @classmethod
    def of(cls, simulation: Simulation) -> "Histogram":
        """Of the unit's main output; elements far beyond the bound are left out."""
        output, height = simulation.unit.config.output, max(1.1, 1.1 * simulation.bound_ulp)
        p = np.log2(np.maximum(simulation.probabilities, 0.5)) - output.f
        edges = (
            np.linspace(-output.f - 1.5, 0.5, BINS + 1),
            np.linspace(-height, height, BINS + 1),
        )
        places, inside = [], np.ones(p.shape, bool)
        for values, (low, *_, high) in zip((p, simulation.errors), edges, strict=True):
            inside &= (values >= low) & (values <= high)
            place = np.nan_to_num((values - low) * (BINS / (high - low)))
            places.append(np.clip(place, 0, BINS - 1).astype(np.int64))
        flat = (places[0] * BINS + places[1])[inside]
        return cls(*edges, np.bincount(flat, minlength=BINS * BINS).reshape(BINS, BINS))


_ERRORS = [field.name for field in dataclasses.fields(Histogram)]


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """What is told of a simulation: small, where the simulation holds every element.

    Attributes:
        fields: of ``sim --json``.
        failures: what is not as promised, see :func:`.verdict.failures`.
        errors: of the unit's main output.
        notes: what the configuration loses of the rows, in sentences.
    """

    fields: _Fields
    failures: tuple[str, ...]
    errors: Histogram
    notes: tuple[str, ...]

    @classmethod
    def of(cls, simulation: Simulation) -> "Shown":
        """Of a simulation."""
        return cls(
            simulation.to_dict(),
            tuple(failures(simulation)),
            Histogram.of(simulation),
            tuple(simulation.measured.lost.notes(simulation.unit.config)),
        )

    def to_dict(self) -> _Fields:
        """Of JSON, and exactly the same."""
        errors = {name: getattr(self.errors, name).tolist() for name in _ERRORS}
        return {
            "fields": self.fields, "failures": [*self.failures], "errors": errors,
            "notes": [*self.notes],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, told: _Fields) -> "Shown":
        """From what :meth:`to_dict` gave."""
        errors = Histogram(**{name: np.array(value) for name, value in told["errors"].items()})
        return cls(told["fields"], tuple(told["failures"]), errors, tuple(told["notes"]))


COLUMNS: tuple[tuple[str, ...], ...] = (
    ("rows",), ("elements",), ("mismatches",), ("max_error_ulp",), ("bound_ulp",),
    ("loss_max_error_ulp",), ("loss_bound_ulp",), ("max_error_unclipped",), ("clip_rate",),
    ("saturated_share",), ("tie_rate",), ("zero_share",), ("sum_min", "sum_mean"),
    ("mass_loss_rate",), ("winner_clip_rate",), ("mean_loss",), ("ignored_rows",),
    ("elements_per_cycle",), ("latency_cycles",), ("seconds",),
)  # fmt: skip
"""The fields of each column; a unit that has no such field leaves its cell empty."""


def _metrics(unit: str, names: tuple[str, ...]) -> list[Metric]:
    """What fields of a unit are; those that it has not are left out."""
    found = (metric_of(unit, name) for name in names)
    return [metric for metric in found if metric is not None]


def _heading(metrics: list[Metric]) -> str:
    """Of a column: what they begin with once, then how each ends."""
    first, *others = (metric.short for metric in metrics)
    return " / ".join([first, *(short.split("\n")[-1] for short in others)])


def _cell(metrics: list[Metric], fields: _Fields) -> str:
    """Figures as a cell of a table; empty where one of them is not known."""
    values = [fields.get(metric.field or metric.name) for metric in metrics]
    known = [value for value in values if value is not None and not isnan(value)]
    if len(known) < len(metrics):
        return ""
    return " / ".join(metric.text(value) for metric, value in zip(metrics, known, strict=True))


def tables(simulations: list[Shown]) -> list[Table]:
    """The simulations as tables, one for each kind of unit, one line each."""
    rows = [simulation.fields for simulation in simulations]
    units = dict.fromkeys(fields["unit"] for fields in rows)
    return [_table(unit, [fields for fields in rows if fields["unit"] == unit]) for unit in units]


def _table(unit: str, rows: list[_Fields]) -> Table:
    """The simulations of a kind of unit; a column appears where some simulation fills it."""
    shown = Table(title=f"{unit}: golden model against Verilog, bit for bit", title_justify="left")
    columns = [("", [_words(fields) for fields in rows])]
    for metrics in filter(None, (_metrics(unit, names) for names in COLUMNS)):
        columns.append((_heading(metrics), [_cell(metrics, fields) for fields in rows]))
    columns = [(name, cells) for name, cells in columns if any(cells)]
    for name, _ in columns:
        shown.add_column(name, justify="right" if name else "left", no_wrap=not name)
    for place, fields in enumerate(rows):
        style = "red" if fields["mismatches"] else ""
        shown.add_row(*(cells[place] for _, cells in columns), style=style)
    return shown


def notes(simulations: list[Shown]) -> list[str]:
    """What configurations lose, each sentence once, with the names of those that it is true of."""
    names: dict[str, list[str]] = {}
    for simulation in simulations:
        for note in simulation.notes:
            names.setdefault(note, []).append(_name(simulation.fields))
    return [f"{', '.join(whose)}: {note}" for note, whose in names.items()]


def write_json(simulations: list[Shown], path: Path) -> None:
    """The list of the simulations' fields.

    Raises:
        ConfigError: a path that cannot be written.
    """
    write_whole(path, json_text([simulation.fields for simulation in simulations]))


def write_picture(simulations: list[Shown], path: Path) -> None:
    """Error of every element against its probability, the proven bound drawn in; a PNG.

    The errors are those of each unit's main output: probabilities or gradients.

    Raises:
        ConfigError: a path that cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    columns = min(len(simulations), 2)
    lines = -(-len(simulations) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(5.2 * columns, 4 * lines), squeeze=False)
    for axis in axes.flat[len(simulations) :]:
        axis.set_visible(False)
    for axis, simulation in zip(axes.flat, simulations, strict=False):
        _draw(figure, axis, simulation)
    for first in axes[:, 0]:
        first.set_ylabel("output - exact output of the codes, ulp")
    figure.tight_layout()
    content = png(figure)
    plt.close(figure)
    write_whole(path, content)


def _draw(figure: Any, axis: Any, simulation: Shown) -> None:
    """The histogram of a simulation, or that there is none."""
    from matplotlib.colors import LogNorm

    fields, errors = simulation.fields, simulation.errors
    left, bound = errors.probability[0], fields["bound_ulp"]
    if errors.counts.any():
        scale = LogNorm(1, max(int(errors.counts.max()), 2))
        edges = errors.probability, errors.error
        mesh = axis.pcolormesh(*edges, errors.counts.T, norm=scale, cmap="viridis")
        figure.colorbar(mesh, ax=axis, label="elements")
    else:
        axis.set_xlim(errors.probability[[0, -1]])
        axis.set_ylim(errors.error[[0, -1]])
        axis.text(left / 2, 0, "no element has an error to draw", ha="center", va="center")
    for limit in (-bound, bound):
        axis.axhline(limit, color="crimson", linewidth=1.2)
    axis.text(left + 0.2, bound + 0.03, f"proven ±{bound:.3f} ulp", color="crimson")
    axis.set_title(_title(fields), fontsize=9)
    axis.set_xlabel("log2 p  (leftmost: p = 0)")


def _title(fields: _Fields) -> str:
    parts = [f"{fields['mismatches']} mismatches"]
    if fields["clip_rate"] is not None:
        parts.append(f"clipped {100 * fields['clip_rate']:.1f} %")
    if worst := _cell(_metrics(fields["unit"], ("max_error_ulp",)), fields):
        parts.append(f"worst error {worst} ulp")
    return f"{_name(fields)}: {fields['elements']:,} elements\n{', '.join(parts)}"


def _name(fields: _Fields) -> str:
    return f"{fields['unit']} {_words(fields)}"


def _words(fields: _Fields) -> str:
    """Which of a unit's configurations it is."""
    return f"{fields['preset'] or 'custom'} {fields['datapath'] or ''}".strip()
