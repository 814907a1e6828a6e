"""Shows simulations: a table, a JSON file, and a picture of the errors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from .run import Simulation

_Fields = dict[str, Any]


def _percent(field: str) -> Callable[[_Fields], str]:
    return lambda s: f"{100 * s[field]:.2f}"


_COLUMNS: tuple[tuple[str, Callable[[_Fields], str]], ...] = (
    ("", lambda s: f"{s['preset'] or 'custom'} {s['datapath'] or ''}".strip()),
    ("rows", lambda s: f"{s['rows']:,}"),
    ("elements", lambda s: f"{s['elements']:,}"),
    ("mismatches", lambda s: f"{s['mismatches']:,}"),
    ("max error\nulp", lambda s: f"{s['max_error_ulp']:.3f}"),
    ("proven\nbound", lambda s: f"{s['bound_ulp']:.3f}"),
    ("loss error\nulp", lambda s: f"{s['loss_max_error_ulp']:.3f}"),
    ("proven\nbound", lambda s: f"{s['loss_bound_ulp']:.3f}"),
    ("max error\nunclipped", lambda s: f"{s['max_error_unclipped']:.2e}"),
    ("clipped\n%", _percent("clip_rate")),
    ("saturated\n%", _percent("saturated_share")),
    ("tied\nrows %", _percent("tie_rate")),
    ("zero\n%", _percent("zero_share")),
    ("sum p\nmin / mean", lambda s: f"{s['sum_min']:.4f} / {s['sum_mean']:.4f}"),
    ("mean\nloss", lambda s: f"{s['mean_loss']:.4f}"),
    ("rows\nignored", lambda s: f"{s['ignored_rows']:,}"),
    ("elements\nper cycle", lambda s: f"{s['elements_per_cycle']:.3f}"),
    ("latency\ncycles", lambda s: str(s["latency_cycles"])),
    ("s", lambda s: f"{s['seconds']:.1f}"),
)
"""Headings and cells; a unit that has no such field leaves its cell empty."""


def _cell(cell: Callable[[_Fields], str], fields: _Fields) -> str:
    try:
        return cell(fields)
    except KeyError:
        return ""


def tables(simulations: list[Simulation]) -> list[Table]:
    """The simulations as tables, one for each kind of unit, one line each."""
    told = [simulation.to_dict() for simulation in simulations]
    units = dict.fromkeys(fields["unit"] for fields in told)
    return [_table(unit, [fields for fields in told if fields["unit"] == unit]) for unit in units]


def _table(unit: str, told: list[_Fields]) -> Table:
    """The simulations of a kind of unit; a column appears where some simulation fills it."""
    shown = Table(title=f"{unit}: golden model against Verilog, bit for bit", title_justify="left")
    columns = [(name, [_cell(cell, fields) for fields in told]) for name, cell in _COLUMNS]
    columns = [(name, cells) for name, cells in columns if any(cells)]
    for name, _ in columns:
        shown.add_column(name, justify="right" if name else "left", no_wrap=not name)
    for place, fields in enumerate(told):
        style = "red" if fields["mismatches"] else ""
        shown.add_row(*(cells[place] for _, cells in columns), style=style)
    return shown


def write_json(simulations: list[Simulation], path: Path) -> None:
    """The list of the simulations' fields."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([simulation.to_dict() for simulation in simulations], indent=2))


def write_picture(simulations: list[Simulation], path: Path) -> None:
    """Error of every element against its probability, the proven bound drawn in; a PNG.

    The errors are those of each unit's main output: probabilities or gradients.
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
        output = simulation.unit.config.output
        bound = simulation.bound_ulp
        height = max(1.1, 1.1 * bound)
        p = np.maximum(simulation.probabilities, 0.5)
        _, _, _, mesh = axis.hist2d(
            np.log2(p) - output.f,
            simulation.errors,
            bins=(96, 96),
            range=((-output.f - 1.5, 0.5), (-height, height)),
            norm="log",
            cmap="viridis",
        )
        for limit in (-bound, bound):
            axis.axhline(limit, color="crimson", linewidth=1.2)
        axis.text(-output.f - 1.3, bound + 0.03, f"proven ±{bound:.3f} ulp", color="crimson")
        fields = simulation.to_dict()
        axis.set_title(
            f"{fields['unit']} {_cell(_COLUMNS[0][1], fields)}: "
            f"{fields['elements']:,} elements\n"
            f"{fields['mismatches']} mismatches, clipped {100 * fields['clip_rate']:.1f} %, "
            f"worst error {fields['max_error_ulp']:.3f} ulp",
            fontsize=9,
        )
        axis.set_xlabel("log2 p  (leftmost: p = 0)")
        figure.colorbar(mesh, ax=axis, label="elements")
    for first in axes[:, 0]:
        first.set_ylabel("output - exact output of the codes, ulp")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
