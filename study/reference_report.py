"""Shows references: a table for each output of a unit, one for each device, and a JSON file."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from ..files import json_text, write_whole
from ..golden.measures.catalogue import REFERENCE
from .jacobian_cost import REPETITIONS, JacobianCost
from .references import ComparedOutput, Mass


def comparison_table(label: str, output: ComparedOutput) -> Table:
    """An output against every reference; one that is absent says so."""
    shown = Table(
        title=f"{label}, {output.name}: golden model against float references, in output LSB (ulp)"
    )
    shown.add_column("reference")
    for inputs in ("codes", "logits"):
        for metric in REFERENCE:
            shown.add_column(f"of the {inputs}\n{metric.column}", justify="right")
    for result in output.comparisons:
        if result.codes is None or result.logits is None:
            shown.add_row(result.reference.name, result.note)
            continue
        cells = [
            metric.text(getattr(distance, metric.name))
            for distance in (result.codes, result.logits)
            for metric in REFERENCE
        ]
        shown.add_row(result.reference.name, *cells)
    return shown


def mass_line(mass: Mass) -> str:
    """What becomes of the sum of a row's probabilities, and of their mean."""
    if mass.error is None or mass.bias is None:
        return f"sum p: no row with an element; proven: within {mass.bound:.4f} of 1"
    return (
        f"sum p: at most {mass.error:.4f} from 1, proven {mass.bound:.4f}"
        f"{'' if mass.bound_kept else ': EXCEEDED'}; bias of p: {mass.bias:+.4f} ulp, "
        f"{mass.codes_bias:+.4f} over all codes"
    )


def comparison_fields(label: str, output: ComparedOutput) -> list[dict[str, Any]]:
    """An output against every reference, as plain JSON values."""
    return [
        {
            "unit": label,
            "output": output.name,
            "reference": result.reference.name,
            "note": result.note,
            "of_codes": result.codes and asdict(result.codes),
            "of_logits": result.logits and asdict(result.logits),
            "bound_ulp": output.bound_ulp,
            "mass": output.mass and asdict(output.mass),
        }
        for result in output.comparisons
    ]


def cost_table(device: str, costs: list[JacobianCost]) -> Table:
    """Memory and time of both forms of the backward pass, a line for each length of a row."""
    shown = Table(
        title=f"{device}: softmax's gradient of a row by the Jacobian, and as P (dP - D)",
        caption=f"memory beyond that of P and dP; median time of {REPETITIONS}; one CPU thread",
    )
    for column in (
        "elements", "peak memory\nJacobian", "peak memory\nP (dP - D)", "memory\nratio",
        "time\nJacobian", "time\nP (dP - D)", "time\nratio", "largest\ndifference",
    ):  # fmt: skip
        shown.add_column(column, justify="right")
    for cost in costs:
        shown.add_row(
            f"{cost.length:,}",
            _kibibytes(cost.jacobian.peak_bytes), _kibibytes(cost.d_form.peak_bytes),
            f"{cost.memory_ratio:,.0f}",
            _milliseconds(cost.jacobian.seconds), _milliseconds(cost.d_form.seconds),
            f"{cost.time_ratio:,.1f}", f"{cost.difference:.1e}",
            style="" if cost.agree else "red",
        )  # fmt: skip
    return shown


def cost_fields(cost: JacobianCost) -> dict[str, Any]:
    """A cost, as plain JSON values."""
    return {**asdict(cost), "reference": cost.reference.name}


def write_json(comparisons: list[dict[str, Any]], costs: list[JacobianCost], path: Path) -> None:
    """Both lists of fields.

    Raises:
        ConfigError: a path that cannot be written.
    """
    document = {"comparisons": comparisons, "jacobian": [cost_fields(cost) for cost in costs]}
    write_whole(path, json_text(document))


def _kibibytes(count: int) -> str:
    return f"{count / 1024:,.1f} KiB"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.4f} ms"
