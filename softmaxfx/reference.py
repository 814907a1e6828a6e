"""``softmaxfx reference``: the golden models against float references."""

from pathlib import Path
from typing import Any

import click

from .endings import OneSentence
from .golden.errors import require
from .golden.torch.reference import Reference
from .inputs import Given, given_options
from .jobs import distinct
from .options import COMPARED, chosen_configs, config_options, is_given
from .outputs import json_option
from .study import jacobian_cost, reference_report
from .study.references import ComparedOutput, compare_outputs
from .terminal import console, print_table, working


@click.command("reference", cls=OneSentence)
@config_options
@given_options
@json_option
@click.pass_context
def reference(
    context: click.Context, given: Given, json_file: Path | None, **chosen: Any
) -> int:  # fmt: skip
    """Hold the golden models against float references: NumPy, and torch on every device.

    Softmax, its gradient and the cross-entropy, where there are rows for them; then what torch
    takes for softmax's gradient by the Jacobian.

    Exit status 0; 1: a proven bound is exceeded, or the Jacobian gives another gradient; 2: the
    call could not be carried out.
    """
    require(
        given.limit is not None or not is_given(context, "seed"),
        "--seed must be given together with --rows, which it draws",
    )
    compared = []
    for unit, preset, config in distinct(given.units(), chosen_configs(**chosen, **COMPARED)):
        rows = given.rows(unit, config)
        label = f"{unit} {preset or 'custom'} {config.datapath}"
        with working(f"{label}: comparing {rows.elements:,} elements"):
            outputs = compare_outputs(unit, config, rows)
        for output in outputs:
            _tell(label, output)
            compared.append((label, output))
    costs = [cost for place in jacobian_cost.DEVICES for cost in _costs(place)]
    if json_file is not None:
        fields = [
            line
            for label, output in compared
            for line in reference_report.comparison_fields(label, output)
        ]
        reference_report.write_json(fields, costs, json_file)
    kept = all(output.bounds_kept for _, output in compared)
    return 0 if kept and all(cost.agree for cost in costs) else 1


def _tell(label: str, output: ComparedOutput) -> None:
    print_table(reference_report.comparison_table(label, output))
    console.print(
        f"proven bound against {output.against}: {output.bound_ulp:.3f} ulp"
        f"{'' if output.bound_kept else ': EXCEEDED'}",
        style="" if output.bound_kept else "red",
    )
    if output.mass is not None:
        console.print(
            reference_report.mass_line(output.mass),
            style="" if output.mass.bound_kept else "red",
        )


def _costs(place: Reference) -> list[jacobian_cost.JacobianCost]:
    """What softmax's gradient costs on a device, printed; nothing where that is not there."""
    costs, note = [], place.absence
    if not note:
        with working(f"{place.name}: softmax's gradient by the Jacobian") as progress:
            costs, note = jacobian_cost.measure_all(place, progress)
        print_table(reference_report.cost_table(place.name, costs))
    if note:
        console.print(f"{place.name}: {note}")
    return costs
