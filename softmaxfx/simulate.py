"""``softmaxfx sim``: exported Verilog on real rows, every bit compared."""

from pathlib import Path
from typing import Any

import click

from .endings import OneSentence
from .fpga.tables import table_differences
from .golden.errors import ConfigError, require
from .inputs import Given, given_options
from .jobs import Chosen, distinct, exported, tell_notes
from .options import (
    COMPARED,
    config_options,
    configs_of,
    is_given,
    target_option,
    units_argument,
    worker_options,
)
from .outputs import json_option, out_option, report_files
from .sim import report
from .sim.report import Shown
from .sim.sidecar import load_unit
from .sim.simulator import check_tools
from .simulations import simulated, simulated_here
from .terminal import console, print_table


@click.command("sim", cls=OneSentence)
@units_argument
@config_options
@given_options
@target_option
@worker_options
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
    context: click.Context, given: Given, unit: str | None, target: str, workers: int | None,
    cluster: str | None, waves: bool, json_file: Path | None, out: Path, verilog: Path | None,
    modified: bool, **chosen: Any,
) -> int:  # fmt: skip
    """Simulate exported Verilog on real rows and compare every bit with the golden model.

    UNIT is softmax, softmax_backward, cross_entropy or adaptive_softmax; without it, every one that
    there are rows for. Without options: two presets, each by both datapaths. Several units are
    simulated side by side; what was well is kept in OUT/cache.sqlite and not run again.

    Exit status 0: all as promised; 1: a mismatch, of a table in the file too, an exceeded bound,
    another latency, or fewer beats per cycle; 2: the call could not be carried out.
    """
    files = report_files(out, "report.json", "errors.png", beside=json_file)
    if verilog is None:
        require(not modified, "--modified must be given together with --verilog")
        failures = []
        simulations = _chosen(given, unit, chosen, target, out, waves, workers, cluster)
    else:
        require(
            not any(chosen.values())
            and not any(is_given(context, name) for name in ("target", "workers", "cluster")),
            "--verilog must not be given together with options of a configuration or of workers",
        )
        require(unit is None, f"--verilog must not be given together with a unit, {unit!r}")
        simulations, failures = _given_file(given, verilog, modified, out, waves)
    _tell(simulations, [file for file in (files[0], json_file) if file], files[1])
    failures += [failure for shown in simulations for failure in shown.failures]
    for sentence in failures:
        console.print(sentence, style="red")
    return 1 if failures else 0


def _given_file(
    given: Given, verilog: Path, modified: bool, out: Path, waves: bool
) -> tuple[list[Shown], list[str]]:
    """The unit in a file of Verilog, simulated; and how its tables differ."""
    unit = load_unit(verilog, modified=modified)
    failures = [f"MISMATCH {verilog}: {difference}" for difference in table_differences(unit)]
    for option in given.unused(unit.name):
        console.print(f"note: {option} is not used: {unit.name} takes none")
    rows = given.rows(unit.name, unit.config)
    check_tools(out / "models")
    label = Chosen(unit.name, unit.description["preset"], unit.config).label
    return [simulated_here(label, unit, rows, out, seed=given.seed, waves=waves)], failures


def _chosen(
    given: Given, unit: str | None, chosen: dict[str, Any], target: str, out: Path, waves: bool,
    workers: int | None, cluster: str | None,
) -> list[Shown]:  # fmt: skip
    """The units that there are rows for, or one of them, of every configuration, simulated."""
    names = given.units() if unit is None else (unit,)
    jobs = distinct(names, configs_of(names, **chosen, **COMPARED))
    rows = [given.rows(name, config) for name, _, config in jobs]
    for option in given.unused(unit) if unit is not None else ():
        raise ConfigError(f"{option} must not be given for {unit}, which takes none")
    require(not waves or cluster is None, "--waves must not be given together with --cluster")
    check_tools(out / "models")
    if waves or (len(jobs) == 1 and cluster is None):  # workers would take longer to start
        return [
            simulated_here(job.label, made, its, out, seed=given.seed, waves=waves)
            for job, made, its in zip(jobs, exported(jobs, out, target), rows, strict=True)
        ]
    tell_notes(jobs)
    shown = simulated(jobs, rows, target, given.seed, out, workers=workers, cluster=cluster)
    for job in jobs:  # workers may have other disks, or what they wrote may be gone
        job.exported(out, target)
    return shown


def _tell(simulations: list[report.Shown], files: list[Path], picture: Path) -> None:
    for table in report.tables(simulations):
        print_table(table)
    for note in report.notes(simulations):
        console.print(f"note: {note}")
    for path in files:
        report.write_json(simulations, path)
    report.write_picture(simulations, picture)
    console.print(f"report: {files[-1]}   picture: {picture}")
