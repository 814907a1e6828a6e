"""``softmaxfx synth``: what a unit costs on a device, and how fast it is there."""

from pathlib import Path
from typing import Any

import click

from .endings import OneSentence
from .fpga import synthesis_report
from .fpga.device import DEVICES, device
from .fpga.flow import Flow
from .fpga.synthesis import Synthesis
from .golden.errors import require
from .jobs import distinct, exported, synthesised
from .options import config_options, configs_of, is_given, seeds_option, unit_argument
from .outputs import json_option, out_option, report_files
from .sim.simulator import check_tools
from .terminal import console, print_table, working


@click.command("synth", cls=OneSentence)
@unit_argument
@config_options
@click.option("--target", required=True, metavar="T", help=f"Device: {', '.join(DEVICES)}.")
@seeds_option
@click.option(
    "--portable", is_flag=True, help="Export without the device's primitives, as for any other."
)
@click.option(
    "--check", is_flag=True, help="Simulate the synthesised netlist too, every bit compared."
)
@json_option
@out_option("build/synth", "Directory of everything generated.")
@click.pass_context
def synth(
    context: click.Context, unit: str, target: str, seeds: int, portable: bool, check: bool,
    json_file: Path | None, out: Path, **chosen: Any,
) -> int:  # fmt: skip
    """Synthesise, place and route by fixed rules: Fmax, LUT, FF, DSP, BRAM, throughput.

    On xilinx7 and xilinxup, which no open tool places, the figures are those of synthesis, without
    a frequency.

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
    units = exported(jobs, out, "generic" if portable else chip.primitives)
    tools = f"yosys and {chip.placer.tool}" if chip.placer else "yosys"
    with working(f"starting {tools} (a first run compiles what it needs, about a minute)"):
        flow = Flow.find(chip, out / "cache")
    syntheses = [synthesised(made, flow, seeds, check, out) for made in units]
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
