"""The command line: a thin shell over the rooms."""

import math
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from . import __version__
from .endings import Program
from .files import require_folder
from .fpga import bench, bench_report, synthesis_report
from .fpga.device import device
from .fpga.export import TARGETS, export
from .fpga.flow import Flow
from .fpga.peers import load_peers
from .fpga.tables import table_differences
from .golden import ConfigError, SoftmaxConfig
from .golden.config import DATAPATHS
from .golden.errors import require
from .golden.units.registry import unit_record
from .graph import graph
from .inputs import Given, unit_rows_options
from .jobs import benched, distinct, exported, exported_case, simulated, synthesised
from .options import chosen_configs, config_options
from .outputs import OutFile, json_option, out_option, report_files
from .sim import coverage, report
from .sim.sidecar import load_unit
from .sim.simulator import check_tools
from .sim.store import claimed
from .study import jacobian_cost, reference_report
from .study.references import hold
from .study.soak import Job, soak
from .sweep import sweep
from .terminal import console, print_table, working
from .waveforms import waveforms


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="softmaxfx")
def main() -> None:
    """Fixed-point softmax: golden model, verified Verilog, proven error.

    Exit status 0: done, and all is well; 1: a check found something, as the help of a command
    says; 2: the call could not be carried out, for a reason told in one sentence.
    """


unit_argument = click.argument("unit", default="softmax", metavar="[UNIT]")
units_argument = click.argument("unit", required=False, metavar="[UNIT]")
seeds_option = click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="N",
    help="Place and route with seeds 1 to N.",
)
target_option = click.option(
    "--target",
    default="generic",
    show_default=True,
    metavar="T",
    help=f"Verilog for every device, or with a device's primitives: {', '.join(TARGETS)}.",
)


@main.command("export")
@unit_argument
@config_options
@click.option("--name", metavar="NAME", help="Top module and prefix of every other module.")
@click.option(
    "--rom",
    default="memory",
    show_default=True,
    metavar="STYLE",
    help="Tables as initialised memories (memory) or case statements (case, for ASIC).",
)
@target_option
@out_option("build/verilog", "Directory of the Verilog and its sidecar.")
def export_command(
    unit: str, name: str | None, rom: str, target: str, out: Path, **chosen: Any
) -> None:
    """Write DIR/NAME.v and its sidecar DIR/NAME.json."""
    configs = _configs((unit,), {**chosen, "default": ("base",)})
    require(
        name is None or len(configs) == 1,
        f"--name must be given with one configuration, not {len(configs)}: they would share it",
    )
    for preset, config in configs:
        made = export(config, out, unit=unit, preset=preset, name=name, rom=rom, target=target)
        for note in config.notes():
            console.print(f"note: {note}")
        console.print(f"{made.verilog}  proven error {made.description['bound_ulp']:.3f} ulp")


@main.command("sim")
@units_argument
@config_options
@unit_rows_options
@target_option
@click.option("--waves", is_flag=True, help="Record waveforms (VCD) beside the run's log.")
@json_option
@out_option("build/sim", "Directory of everything generated.")
@click.option(
    "--verilog",
    type=click.Path(path_type=Path),
    metavar="FILE.v",
    help="Test this file, its sidecar beside it, instead of exporting one.",
)
@click.option("--modified", is_flag=True, help="The file's hash may differ from its sidecar's.")
@click.pass_context
def sim_command(
    context: click.Context, unit: str | None, logits: Path | None, gradients: Path | None,
    targets: Path | None, limit: int | None, seed: int, target: str, waves: bool,
    json_file: Path | None, out: Path, verilog: Path | None, modified: bool, **chosen: Any,
) -> int:  # fmt: skip
    """Simulate exported Verilog on real rows and compare every bit with the golden model.

    UNIT is softmax, softmax_backward or cross_entropy; without it, every one that there are rows
    for. Without options: two presets, each by both datapaths.

    Exit status 0: all as promised; 1: a mismatch, of a table in the file too, an exceeded bound,
    another latency, or fewer beats per cycle; 2: the call could not be carried out.
    """
    given = Given(logits, gradients, targets, limit, seed)
    files = report_files(out, "report.json", "errors.png", beside=json_file)
    if verilog is not None:
        require(
            not any(chosen.values()) and not _is_given(context, "target"),
            "--verilog must not be given together with options of a configuration",
        )
        require(unit is None, f"--verilog must not be given together with a unit, {unit!r}")
        units = [load_unit(verilog, modified=modified)]
        failures = [f"MISMATCH {verilog}: {told}" for told in table_differences(units[0])]
        _tell_unused(given, units[0].name)
        rows = [given.rows(tested.name, tested.config) for tested in units]
        check_tools(out / "models")
    else:
        require(not modified, "--modified must be given together with --verilog")
        names = given.units() if unit is None else (unit,)
        chosen |= {"default": ("base", "int8"), "default_datapaths": DATAPATHS}
        jobs = distinct(names, _configs(names, chosen))
        rows = [given.rows(name, config) for name, _, config in jobs]
        if unit is not None:
            _refuse_unused(given, unit)
        check_tools(out / "models")
        units, failures = exported(jobs, out, target), []
    simulations = simulated(units, rows, out, seed, waves)
    for table in report.tables(simulations):
        print_table(table)
    for note in report.notes(simulations):
        console.print(f"note: {note}")
    written = [files[0], *([json_file] if json_file else [])]
    for path in written:
        report.write_json(simulations, path)
    report.write_picture(simulations, files[1])
    console.print(f"report: {written[-1]}   picture: {files[1]}")
    return _verdict(failures + [told for shown in simulations for told in shown.failures])


@main.command("reference")
@config_options
@unit_rows_options
@json_option
@click.pass_context
def reference_command(
    context: click.Context, logits: Path | None, gradients: Path | None, targets: Path | None,
    limit: int | None, seed: int, json_file: Path | None, **chosen: Any,
) -> int:  # fmt: skip
    """Hold the golden models against float references: NumPy, and torch on every device.

    Softmax, its gradient and the cross-entropy, where there are rows for them; then what torch
    takes for softmax's gradient by the Jacobian.

    Exit status 0; 1: a proven bound is exceeded, or the Jacobian gives another gradient; 2: the
    call could not be carried out.
    """
    require(
        limit is not None or not _is_given(context, "seed"),
        "--seed must be given together with --rows, which it draws",
    )
    given = Given(logits, gradients, targets, limit, seed)
    chosen |= {"default": ("base", "int8"), "default_datapaths": DATAPATHS}
    fields, costs, kept = [], [], True
    for unit, preset, config in distinct(given.units(), chosen_configs(**chosen)):
        rows = given.rows(unit, config)
        label = f"{unit} {preset or 'custom'} {config.datapath}"
        with working(f"{label}: comparing {rows.elements:,} elements"):
            outputs = hold(unit, config, rows)
        for held in outputs:
            print_table(reference_report.held_table(label, held))
            console.print(
                f"proven bound against {held.against}: {held.bound_ulp:.3f} ulp"
                f"{'' if held.bound_kept else ': EXCEEDED'}",
                style="" if held.bound_kept else "red",
            )
            fields += reference_report.held_fields(label, held)
            kept &= held.bound_kept
    for place in jacobian_cost.DEVICES:
        note = place.absence
        if not note:
            with working(f"{place.name}: softmax's gradient by the Jacobian") as progress:
                measured, note = jacobian_cost.measure_all(place, progress)
            print_table(reference_report.cost_table(place.name, measured))
            costs += measured
        if note:
            console.print(f"{place.name}: {note}")
    if json_file is not None:
        reference_report.write_json(fields, costs, json_file)
    return 0 if kept and all(cost.agree for cost in costs) else 1


@main.command("coverage")
@unit_argument
@config_options
@out_option("build/coverage", "Directory of everything generated.")
def coverage_command(unit: str, out: Path, **chosen: Any) -> int:
    """Lines run and bits toggled in the Verilog, and why the rest is not; one report a unit.

    Exit status 0; 1: a mismatch, or a signal that nothing explains; 2: the call could not be
    carried out.
    """
    jobs = distinct((unit,), _configs((unit,), {**chosen, "default": ("tiny",)}))
    check_tools(out / "models")
    status = 0
    for tested in exported(jobs, out):
        (report_file,) = report_files(out, f"{tested.top}.md")
        with (
            claimed(out / "runs" / tested.top) as folder,
            working(f"{tested.top}: building and running with coverage counters"),
        ):
            covered = coverage.measure(tested, out / "models", folder)
        coverage.write_report(covered, report_file)
        console.print(
            f"lines {covered.percent('line'):.2f} %, bits toggled "
            f"{covered.percent('toggle'):.2f} %, {len(covered.unexplained)} signals not explained, "
            f"{covered.mismatches} mismatches; report: {report_file}"
        )
        if covered.mismatches or covered.unexplained:
            status = 1
    return status


@main.command("synth")
@unit_argument
@config_options
@click.option("--target", required=True, metavar="T", help="Device: ecp5 or ice40.")
@seeds_option
@click.option(
    "--portable", is_flag=True, help="Export without the device's primitives, as for any other."
)
@click.option(
    "--check", is_flag=True, help="Simulate the synthesised netlist too, every bit compared."
)
@json_option
@out_option("build/synth", "Directory of everything generated.")
def synth_command(
    unit: str, target: str, seeds: int, portable: bool, check: bool, json_file: Path | None,
    out: Path, **chosen: Any,
) -> int:  # fmt: skip
    """Synthesise, place and route by fixed rules: Fmax, LUT, FF, DSP, BRAM, throughput.

    Exit status 0; 1: the netlist differs from the golden model; 2: the call could not be carried
    out.
    """
    chip = device(target)
    files = report_files(out, "report.json", "report.md", beside=json_file)
    jobs = distinct((unit,), _configs((unit,), {**chosen, "default": ("base",)}))
    check_tools(out / "models")
    units = exported(jobs, out, "generic" if portable else chip.primitives)
    with working(f"starting yosys and {chip.placer} (a first run compiles them, about a minute)"):
        flow = Flow.find(chip, out / "cache")
    syntheses = [synthesised(unit, flow, seeds, check, out) for unit in units]
    print_table(synthesis_report.table(syntheses))
    written = [files[0], *([json_file] if json_file else [])]
    for path in written:
        synthesis_report.write_json(syntheses, path)
    synthesis_report.write_markdown(syntheses, files[1])
    console.print(f"report: {written[-1]}   {files[1]}")
    status = 0
    for synthesis in syntheses:
        if synthesis.gate_level and synthesis.gate_level.mismatches:
            console.print(
                f"MISMATCH in the netlist of {synthesis.unit.top} for {synthesis.target}: "
                f"{synthesis.gate_level.first}",
                style="red",
            )
            status = 1
    return status


@main.command("bench")
@seeds_option
@click.option(
    "--out",
    type=OutFile(),
    default="docs/benchmarks.md",
    show_default=True,
    metavar="FILE.md",
    help="The document; its picture lies beside it.",
)
def bench_command(seeds: int, out: Path) -> None:
    """Synthesise a fixed list of units: their goals, and other open hardware beside them.

    A unit that does not fit is told of like the others.
    """
    require(out.suffix == ".md", f"--out must be a .md file, not {out}")
    folder, picture = Path("build/synth"), out.with_suffix(".png")
    report_files(out.parent, picture.name)
    require_folder("the working folder", folder)
    check_tools(folder / "models")
    with working(f"exporting {len(bench.CASES)} units"):
        units = [exported_case(case, folder / "verilog") for case in bench.CASES]
    chips = {case.device.name: case.device for case in bench.CASES}
    with working("starting yosys and nextpnr (a first run compiles them, about a minute)"):
        flows = {name: Flow.find(chip, folder / "cache") for name, chip in chips.items()}
    results = []
    for number, (case, unit) in enumerate(zip(bench.CASES, units, strict=True), 1):
        console.print(f"{number} of {len(units)}: {case.name} for {case.target}")
        results.append(benched(case, unit, flows[case.device.name], seeds, folder))
    peers = load_peers()
    print_table(bench_report.table(results, peers))
    bench_report.write_document(
        results, [*flows.values()], peers, tuple(range(1, seeds + 1)), out, picture
    )
    bench_report.write_picture(results, peers, picture)
    console.print(f"document: {out}   picture: {picture}")


main.add_command(graph)
main.add_command(sweep)
main.add_command(waveforms)


def _minutes(_: click.Context, parameter: click.Parameter, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"must be finite and above 0, not {value:g}", param=parameter)
    return value


@main.command("soak")
@click.option(
    "--minutes",
    type=float,
    callback=_minutes,
    default=30.0,
    show_default=True,
    metavar="M",
    help="How long; a soak that starts again goes on where it ended.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    metavar="S",
    help="The first seed.",
)
@out_option("build/soak", "Directory of models and results.")
def soak_command(minutes: float, seed: int, out: Path) -> int:
    """Random rows and hostile streams through every preset, lanes and option.

    Exit status 0; 1: a mismatch, or a proven bound is exceeded; 2: the call could not be carried
    out.
    """
    report_files(out, "results.jsonl")
    check_tools(out / "models")
    console.print(f"soaking for {minutes:g} minutes from seed {seed}; results: {out}/results.jsonl")

    def tell(job: Job) -> None:
        verdict = "ok" if not job.mismatches and job.bound_kept else f"FAILED {job.first}"
        console.print(
            f"seed {job.seed}: {job.label}: {job.elements:,} elements, {job.frames:,} hostile "
            f"frames: {verdict}"
        )

    jobs = soak(out, minutes=minutes, first_seed=seed, tell=tell)
    failed = sum(1 for job in jobs if job.mismatches or not job.bound_kept)
    console.print(
        f"{len(jobs)} jobs, {sum(job.elements for job in jobs):,} elements, "
        f"{sum(job.frames for job in jobs):,} hostile frames, {failed} failed"
    )
    return 1 if failed else 0


def _is_given(context: click.Context, option: str) -> bool:
    return context.get_parameter_source(option) is not ParameterSource.DEFAULT


def _configs(
    units: tuple[str, ...], chosen: dict[str, Any]
) -> list[tuple[str | None, SoftmaxConfig]]:
    """The chosen configurations; refused where an option of theirs has no effect on the units."""
    records = [unit_record(unit) for unit in units]
    require(
        not chosen["datapaths"] or any("datapath" in record.fields for record in records),
        f"--datapath must not be given for {', '.join(units)}, which has one only",
    )
    return chosen_configs(**chosen)


def _unused(given: Given, unit: str) -> list[str]:
    """Options of files that a unit does not take."""
    files = {"softmax_backward": given.gradients, "cross_entropy": given.targets}
    options = {"softmax_backward": "--gradients", "cross_entropy": "--targets"}
    return [options[of] for of, file in files.items() if file is not None and of != unit]


def _refuse_unused(given: Given, unit: str) -> None:
    for option in _unused(given, unit):
        raise ConfigError(f"{option} must not be given for {unit}, which takes none")


def _tell_unused(given: Given, unit: str) -> None:
    for option in _unused(given, unit):
        console.print(f"note: {option} is not used: {unit} takes none")


def _verdict(failures: list[str]) -> int:
    """Exit status 0 where all is as promised; else what is not, and 1."""
    for sentence in failures:
        console.print(sentence, style="red")
    return 1 if failures else 0
