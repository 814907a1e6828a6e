"""``softmaxfx sim``: exported Verilog on real rows, every bit compared."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from .endings import OneSentence
from .fpga.tables import table_differences
from .golden.errors import ConfigError, require
from .inputs import Given, given_options
from .jobs import distinct, exported, simulated
from .options import COMPARED, config_options, configs_of, is_given, target_option, units_argument
from .outputs import json_option, out_option, report_files
from .sim import report
from .sim.sidecar import Unit, load_unit
from .sim.simulator import check_tools
from .terminal import console, print_table


@dataclass(frozen=True, eq=False, slots=True)
class Tested:
    """Units, the rows of each, and what was found before they are simulated."""

    units: list[Unit]
    rows: list[Any]
    failures: list[str] = field(default_factory=list)


@click.command("sim", cls=OneSentence)
@units_argument
@config_options
@given_options
@target_option
@click.option("--waves", is_flag=True, help="Record waveforms (VCD) beside the run's log.")
@json_option
@out_option("build/sim", "Directory of everything generated.")
@click.option(
    "--verilog", type=click.Path(path_type=Path), metavar="FILE.v",
    help="Test this file, its sidecar beside it, instead of exporting one.",
)  # fmt: skip
@click.option("--modified", is_flag=True, help="The file's hash may differ from its sidecar's.")
@click.pass_context
def simulate(
    context: click.Context, given: Given, unit: str | None, target: str, waves: bool,
    json_file: Path | None, out: Path, verilog: Path | None, modified: bool, **chosen: Any,
) -> int:  # fmt: skip
    """Simulate exported Verilog on real rows and compare every bit with the golden model.

    UNIT is softmax, softmax_backward or cross_entropy; without it, every one that there are rows
    for. Without options: two presets, each by both datapaths.

    Exit status 0: all as promised; 1: a mismatch, of a table in the file too, an exceeded bound,
    another latency, or fewer beats per cycle; 2: the call could not be carried out.
    """
    files = report_files(out, "report.json", "errors.png", beside=json_file)
    if verilog is None:
        require(not modified, "--modified must be given together with --verilog")
        tested = _exported(given, unit, chosen, target, out)
    else:
        require(
            not any(chosen.values()) and not is_given(context, "target"),
            "--verilog must not be given together with options of a configuration",
        )
        require(unit is None, f"--verilog must not be given together with a unit, {unit!r}")
        tested = _given_file(given, verilog, modified, out)
    simulations = simulated(tested.units, tested.rows, out, given.seed, waves)
    _tell(simulations, [file for file in (files[0], json_file) if file], files[1])
    failures = tested.failures + [failure for shown in simulations for failure in shown.failures]
    for sentence in failures:
        console.print(sentence, style="red")
    return 1 if failures else 0


def _given_file(given: Given, verilog: Path, modified: bool, out: Path) -> Tested:
    """The unit in a file of Verilog, its tables compared."""
    unit = load_unit(verilog, modified=modified)
    failures = [f"MISMATCH {verilog}: {difference}" for difference in table_differences(unit)]
    for option in given.unused(unit.name):
        console.print(f"note: {option} is not used: {unit.name} takes none")
    rows = given.rows(unit.name, unit.config)
    check_tools(out / "models")
    return Tested([unit], [rows], failures)


def _exported(
    given: Given, unit: str | None, chosen: dict[str, Any], target: str, out: Path
) -> Tested:
    """The units that there are rows for, or one of them, of every configuration."""
    names = given.units() if unit is None else (unit,)
    jobs = distinct(names, configs_of(names, **chosen, **COMPARED))
    rows = [given.rows(name, config) for name, _, config in jobs]
    for option in given.unused(unit) if unit is not None else ():
        raise ConfigError(f"{option} must not be given for {unit}, which takes none")
    check_tools(out / "models")
    return Tested(exported(jobs, out, target), rows)


def _tell(simulations: list[report.Shown], files: list[Path], picture: Path) -> None:
    for table in report.tables(simulations):
        print_table(table)
    for note in report.notes(simulations):
        console.print(f"note: {note}")
    for path in files:
        report.write_json(simulations, path)
    report.write_picture(simulations, picture)
    console.print(f"report: {files[-1]}   picture: {picture}")
