"""``softmaxfx synth``: what a unit costs on a device, and how fast it is there."""

from pathlib import Path
from typing import Any

import click

from .endings import OneSentence
from .fpga import synthesis_report
from .fpga.device import device
from .fpga.flow import Flow
from .fpga.synthesis import Synthesis
from .golden.errors import require
from .jobs import distinct, tell_notes
from .options import (
    config_options,
    configs_of,
    is_given,
    seeds_option,
    unit_argument,
    worker_options,
)
from .outputs import json_option, out_option, report_files
from .placements import Design, synthesised
from .sim.simulator import check_tools
from .terminal import console, print_table, working


@click.command("synth", cls=OneSentence)
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
@worker_options
@json_option
@out_option("build/synth", "Directory of everything generated.")
@click.pass_context
def synth(
    context: click.Context, unit: str, target: str, seeds: int, portable: bool, check: bool,
    workers: int | None, cluster: str | None, json_file: Path | None, out: Path, **chosen: Any,
) -> int:  # fmt: skip
    """Synthesise, place and route by fixed rules: Fmax, LUT, FF, DSP, BRAM, throughput.

    On xilinx7 and xilinxup, which no open tool places, the figures are those of synthesis, without
    a frequency.

    Results are kept in OUT: a run that was interrupted, or is repeated, places what is new.
    Exit status 0; 1: the netlist differs from the golden model; 2: the call could not be carried
    out.
    """
    chip = device(target)
    require(
        chip.placer is not None or not is_given(context, "seeds"),
        f"--seeds must be given for a device that a unit is placed on, not for {target}",
    )
    files = report_files(out, "report.json", "report.md", beside=json_file)
    jobs = distinct((unit,), configs_of((unit,), **chosen, default=("base",)))
    check_tools(out / "models")
    tell_notes(jobs)
    tools = f"yosys and {chip.placer.tool}" if chip.placer else "yosys"
    with working(f"starting {tools} (a first run compiles what it needs, about a minute)"):
        flow = Flow.find(chip, out / "cache")
    primitives = "generic" if portable else chip.primitives
    designs = [Design(f"{job.label} on {target}", job, primitives, target) for job in jobs]
    found = synthesised(
        designs, {target: flow}, seeds, out, check=check, workers=workers, cluster=cluster
    )
    syntheses = [*found.values()]
    _tell(syntheses, [file for file in (files[0], json_file) if file], files[1])
    return int(any(_tell_mismatch(synthesis) for synthesis in syntheses))


def _tell(syntheses: list[Synthesis], files: list[Path], markdown: Path) -> None:
    print_table(synthesis_report.table(syntheses))
    for path in files:
        synthesis_report.write_json(syntheses, path)
    synthesis_report.write_markdown(syntheses, markdown)
    console.print(f"report: {files[-1]}   {markdown}")


def _tell_mismatch(synthesis: Synthesis) -> bool:
    """Whether the netlist was found to differ from the golden model."""
    checked = synthesis.gate_level
    if checked is None or not checked.mismatches:
        return False
    console.print(
        f"MISMATCH in the netlist of {synthesis.unit.top} for {synthesis.target}: {checked.first}",
        style="red",
    )
    return True
