"""The command line: a thin shell over the rooms."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from . import __version__
from .fpga import bench, bench_report, synthesis_report
from .fpga.cells import with_primitives
from .fpga.device import device
from .fpga.export import TARGETS, export
from .fpga.flow import Flow
from .fpga.gate_level import check_netlist
from .fpga.peers import load_peers
from .fpga.synthesis import Synthesis, measure_pace, place_seeds, summarise
from .fpga.tools import ToolError
from .golden import ConfigError, SoftmaxConfig
from .golden.config import DATAPATHS
from .golden.errors import require
from .inputs import Given, unit_rows_options
from .options import chosen_configs, config_options, out_option
from .sim import coverage, report
from .sim.run import Simulation, simulate
from .sim.sidecar import Unit, load_unit
from .sim.simulator import build
from .study import jacobian_cost, reference_report
from .study.references import hold
from .study.soak import Job, soak
from .sweep import sweep
from .terminal import console, print_table, working

CHECKED_ROWS = 2000
"""Rows that a synthesised netlist is simulated with: some ten times slower than the Verilog."""


class Command(click.Group):
    """Turns every mistake of a user into one sentence and exit status 2."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = 2
        except click.ClickException as error:
            status = _fail(error.format_message())
        except (ConfigError, ValueError) as error:
            status = _fail(str(error))
        except (click.Abort, KeyboardInterrupt):
            status = _fail("interrupted")
        sys.exit(status if isinstance(status, int) else 0)


def _fail(sentence: str) -> int:
    Console(stderr=True, soft_wrap=True).print(
        f"softmaxfx: {sentence}", markup=False, highlight=False
    )
    return 2


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="softmaxfx")
def main() -> None:
    """Fixed-point softmax: golden model, verified Verilog, proven error."""


unit_argument = click.argument("unit", default="softmax", metavar="[UNIT]")
units_argument = click.argument("unit", required=False, metavar="[UNIT]")
json_option = click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the results there as well.",
)
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
    for preset, config in chosen_configs(**chosen, default=("base",)):
        exported = export(config, out, unit=unit, preset=preset, name=name, rom=rom, target=target)
        for note in config.notes():
            console.print(f"note: {note}", highlight=False)
        console.print(
            f"{exported.verilog}  proven error {exported.description['bound_ulp']:.3f} ulp",
            highlight=False, soft_wrap=True,
        )  # fmt: skip


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
def sim_command(
    unit: str | None, logits: Path | None, gradients: Path | None, targets: Path | None,
    limit: int | None, seed: int, target: str, waves: bool, json_file: Path | None, out: Path,
    verilog: Path | None, modified: bool, **chosen: Any,
) -> int:  # fmt: skip
    """Simulate exported Verilog on real rows and compare every bit with the golden model.

    UNIT is softmax, softmax_backward or cross_entropy; without it, every one that there are rows
    for. Without options: two presets, each by both datapaths.

    Exit status 0: all equal; 1: a mismatch; 2: the call could not be carried out.
    """
    given = Given(logits, gradients, targets, limit, seed)
    if verilog is not None:
        if any(chosen.values()) or target != "generic":
            raise ConfigError(
                "--verilog must not be given together with options of a configuration"
            )
        require(unit is None, f"--verilog must not be given together with a unit, {unit!r}")
        units = [load_unit(verilog, modified=modified)]
    elif modified:
        raise ConfigError("--modified must be given together with --verilog")
    else:
        chosen |= {"default": ("base", "int8"), "default_datapaths": DATAPATHS}
        names = given.units() if unit is None else (unit,)
        units = _exported(names, chosen, out, target)
    simulations = [
        _simulated(unit, given.rows(unit.name, unit.config), out, seed, waves) for unit in units
    ]
    for table in report.tables(simulations):
        print_table(table)
    written = [out / "report.json", *([json_file] if json_file else [])]
    for path in written:
        report.write_json(simulations, path)
    report.write_picture(simulations, out / "errors.png")
    console.print(f"report: {written[-1]}   picture: {out / 'errors.png'}", highlight=False)
    return _verdict(simulations)


@main.command("reference")
@config_options
@unit_rows_options
@json_option
def reference_command(
    logits: Path | None, gradients: Path | None, targets: Path | None, limit: int | None,
    seed: int, json_file: Path | None, **chosen: Any,
) -> int:  # fmt: skip
    """Hold the golden models against float references: NumPy, and torch on every device.

    Softmax, its gradient and the cross-entropy, where there are rows for them; then what torch
    takes for softmax's gradient by the Jacobian.

    Exit status 0; 1: a proven bound is exceeded, or the Jacobian gives another gradient; 2: the
    call could not be carried out.
    """
    given = Given(logits, gradients, targets, limit, seed)
    chosen |= {"default": ("base", "int8"), "default_datapaths": DATAPATHS}
    fields, costs, kept = [], [], True
    for unit, preset, config in _distinct(given.units(), chosen_configs(**chosen)):
        rows = given.rows(unit, config)
        label = f"{unit} {preset or 'custom'} {config.datapath}"
        with working(f"{label}: comparing {rows.elements:,} elements"):
            outputs = hold(unit, config, rows)
        for held in outputs:
            print_table(reference_report.held_table(label, held))
            console.print(
                f"proven bound against {held.against}: {held.bound_ulp:.3f} ulp"
                f"{'' if held.bound_kept else ': EXCEEDED'}",
                highlight=False, soft_wrap=True, style="" if held.bound_kept else "red",
            )  # fmt: skip
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
            console.print(f"{place.name}: {note}", highlight=False, soft_wrap=True)
    if json_file is not None:
        reference_report.write_json(fields, costs, json_file)
    return 0 if kept and all(cost.agree for cost in costs) else 1


@main.command("coverage")
@unit_argument
@config_options
@out_option("build/coverage", "Directory of everything generated.")
def coverage_command(unit: str, out: Path, **chosen: Any) -> int:  # fmt: skip
    """Lines run and bits toggled in the Verilog, and why the rest is not; one report a unit."""
    status = 0
    for tested in _exported((unit,), {**chosen, "default": ("tiny",)}, out):
        with working(f"{tested.top}: building and running with coverage counters"):
            covered = coverage.measure(tested, out / "models", out / "runs")
        report_file = out / f"{tested.top}.md"
        coverage.write_report(covered, report_file)
        console.print(
            f"lines {covered.percent('line'):.2f} %, bits toggled "
            f"{covered.percent('toggle'):.2f} %, {len(covered.unexplained)} signals not explained, "
            f"{covered.mismatches} mismatches; report: {report_file}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
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
    exported_for = "generic" if portable else chip.primitives
    units = _exported((unit,), {**chosen, "default": ("base",)}, out, exported_for)
    with working(f"starting yosys and {chip.placer} (a first run compiles them, about a minute)"):
        flow = Flow.find(chip, out / "cache")
    syntheses = [_synthesised(exported, flow, seeds, check, out) for exported in units]
    print_table(synthesis_report.table(syntheses))
    written = [out / "report.json", *([json_file] if json_file else [])]
    for path in written:
        synthesis_report.write_json(syntheses, path)
    synthesis_report.write_markdown(syntheses, out / "report.md")
    console.print(f"report: {written[-1]}   {out / 'report.md'}", highlight=False)
    status = 0
    for synthesis in syntheses:
        if synthesis.gate_level and synthesis.gate_level.mismatches:
            console.print(
                f"MISMATCH in the netlist of {synthesis.unit.top} for {synthesis.target}: "
                f"{synthesis.gate_level.first}",
                style="red", highlight=False, soft_wrap=True, markup=False,
            )  # fmt: skip
            status = 1
    return status


@main.command("bench")
@seeds_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("docs/benchmarks.md"),
    show_default=True,
    metavar="FILE.md",
    help="The document; its picture lies beside it.",
)
def bench_command(seeds: int, out: Path) -> None:
    """Synthesise a fixed list of units: their goals, and other open hardware beside them.

    A unit that does not fit is told of like the others.
    """
    require(out.suffix == ".md", f"--out must be a .md file, not {out}")
    folder = Path("build/synth")
    with working(f"exporting {len(bench.CASES)} units"):
        units = [_exported_case(case, folder / "verilog") for case in bench.CASES]
    chips = {case.device.name: case.device for case in bench.CASES}
    with working("starting yosys and nextpnr (a first run compiles them, about a minute)"):
        flows = {name: Flow.find(chip, folder / "cache") for name, chip in chips.items()}
    results = []
    for number, (case, unit) in enumerate(zip(bench.CASES, units, strict=True), 1):
        console.print(f"{number} of {len(units)}: {case.name} for {case.target}", highlight=False)
        results.append(_benched(case, unit, flows[case.device.name], seeds, folder))
    peers = load_peers()
    print_table(bench_report.table(results, peers))
    picture = out.with_suffix(".png")
    bench_report.write_document(
        results, [*flows.values()], peers, tuple(range(1, seeds + 1)), out, picture
    )
    bench_report.write_picture(results, peers, picture)
    console.print(f"document: {out}   picture: {picture}", highlight=False)


main.add_command(sweep)


@main.command("soak")
@click.option(
    "--minutes",
    type=float,
    default=30.0,
    show_default=True,
    metavar="M",
    help="How long; a soak that starts again goes on where it ended.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The first seed.")
@out_option("build/soak", "Directory of models and results.")
def soak_command(minutes: float, seed: int, out: Path) -> int:  # fmt: skip
    """Random rows and hostile streams through every preset, lanes and option."""
    console.print(f"soaking for {minutes:g} minutes from seed {seed}; results: {out}/results.jsonl")

    def tell(job: Job) -> None:
        verdict = "ok" if not job.mismatches and job.bound_kept else f"FAILED {job.first}"
        console.print(
            f"seed {job.seed}: {job.label}: {job.elements:,} elements, {job.frames:,} hostile "
            f"frames: {verdict}",
            highlight=False, soft_wrap=True, markup=False,
        )  # fmt: skip

    jobs = soak(out, minutes=minutes, first_seed=seed, tell=tell)
    failed = sum(1 for job in jobs if job.mismatches or not job.bound_kept)
    console.print(
        f"{len(jobs)} jobs, {sum(job.elements for job in jobs):,} elements, "
        f"{sum(job.frames for job in jobs):,} hostile frames, {failed} failed"
    )
    return 1 if failed else 0


def _distinct(
    units: tuple[str, ...], configs: list[tuple[str | None, SoftmaxConfig]]
) -> list[tuple[str, str | None, SoftmaxConfig]]:
    """Every unit of the configurations; once, where they differ in what it does not know."""
    made = {}
    for unit in units:
        for preset, config in configs:
            made.setdefault((unit, config.sha256(unit)), (unit, preset, config))
    return [*made.values()]


def _exported(
    names: tuple[str, ...], chosen: dict[str, Any], out: Path, target: str = "generic"
) -> list[Unit]:
    """Export the chosen configurations and read them back, as a stranger would."""
    jobs = _distinct(names, chosen_configs(**chosen))
    files = []
    count = f"{len(jobs)} units" if len(jobs) > 1 else f"{jobs[0][0]} {jobs[0][1] or 'custom'}"
    with working(f"exporting {count}") as progress, _processes(len(jobs)) as run:
        for verilog in run(_exported_one, [(*job, out / "verilog", target) for job in jobs]):
            files.append(verilog)
            progress(len(files) / len(jobs))
    for note in dict.fromkeys(note for *_, config in jobs for note in config.notes()):
        console.print(f"note: {note}", highlight=False)
    return [load_unit(verilog) for verilog in files]


def _exported_one(job: tuple[str, str | None, SoftmaxConfig, Path, str]) -> Path:
    unit, preset, config, folder, target = job
    return export(config, folder, unit=unit, preset=preset, target=target).verilog


@contextmanager
def _processes(jobs: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """``map`` by as many processes as there are processors; by this one for a single job."""
    if jobs == 1:
        yield map
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        try:
            yield pool.map
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _label(unit: Unit) -> str:
    told = unit.description
    return " ".join([told["unit"], told["preset"] or "custom", told["datapath"] or ""]).strip()


def _simulated(unit: Unit, rows: Any, out: Path, seed: int, waves: bool) -> Simulation:
    label = _label(unit)
    with working(f"{label}: building the Verilator model") as progress:
        model = build(with_primitives(unit, out / "primitives"), out / "models", waves=waves)
        progress(1.0)
    with working(f"{label}: simulating {rows.elements:,} elements") as progress:
        folder = out / "runs" / unit.top
        return simulate(unit, model, rows, folder, seed=seed, waves=waves, progress=progress)


def _synthesised(unit: Unit, flow: Flow, seeds: int, check: bool, out: Path) -> Synthesis:
    label = f"{_label(unit)} on {flow.device.name}"
    with working(f"{label}: synthesising"):
        netlist = flow.synthesise(unit)
    chosen = tuple(range(1, seeds + 1))
    with working(f"{label}: placing and routing, {seeds} seeds") as progress:
        reports = place_seeds(flow, netlist, chosen, progress)
    with working(f"{label}: measuring elements per cycle"):
        pace = measure_pace(unit, out)
    gate_level = None
    if check:
        rows = Given(limit=CHECKED_ROWS).rows(unit.name, unit.config)
        with working(f"{label}: simulating {rows.elements:,} elements in the netlist") as progress:
            gate_level = check_netlist(unit, netlist.verilog, flow.device, rows, out, progress)
    return summarise(unit, flow, netlist, chosen, reports, pace, gate_level)


def _exported_case(case: bench.Case, folder: Path) -> Unit:
    exported = export(
        case.config,
        folder / case.primitives,
        unit=case.unit,
        preset=case.preset,
        target=case.primitives,
    )
    return load_unit(exported.verilog)


def _benched(case: bench.Case, unit: Unit, flow: Flow, seeds: int, out: Path) -> bench.Result:
    """What becomes of a case; where a tool fails on the design, its sentence."""
    error = bench.sample_error(case.config) if case.unit == "softmax" else None
    try:
        synthesis = _synthesised(unit, flow, seeds, False, out)
    except ToolError as failed:
        console.print(failed.reason, style="red", highlight=False, soft_wrap=True, markup=False)
        return bench.Result(case, unit, None, error, failed.reason)
    return bench.Result(case, unit, synthesis, error)


def _verdict(simulations: list[Simulation]) -> int:
    """Exit status 0 where every bit was equal; else the first mismatches, and 1."""
    status = 0
    for simulation in simulations:
        if simulation.score.mismatches:
            console.print(
                f"MISMATCH {simulation.unit.verilog}: {simulation.score.first}",
                style="red",
                highlight=False,
                soft_wrap=True,
                markup=False,
            )
            status = 1
        elif not simulation.bounds_kept:
            console.print(
                f"BOUND EXCEEDED {simulation.unit.verilog}: error "
                f"{simulation.metrics.max_error_ulp} ulp, proven bound "
                f"{simulation.bound_ulp} ulp",
                style="red",
                soft_wrap=True,
            )
            status = 1
    return status
