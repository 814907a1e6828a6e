"""``softmaxfx coverage``: lines run and bits toggled in the Verilog."""

from pathlib import Path
from typing import Any

import click

from .endings import OneSentence
from .jobs import distinct, exported
from .options import config_options, configs_of, unit_argument
from .outputs import out_option, report_files
from .sim.coverage import measure, write_report
from .sim.simulator import check_tools
from .sim.store import claimed
from .terminal import console, working


@click.command("coverage", cls=OneSentence)
@unit_argument
@config_options
@out_option("build/coverage", "Directory of everything generated.")
def coverage(unit: str, out: Path, **chosen: Any) -> int:
    """Lines run and bits toggled in the Verilog, and why the rest is not; one report a unit.

    Exit status 0; 1: a mismatch, or a signal that nothing explains; 2: the call could not be
    carried out.
    """
    jobs = distinct((unit,), configs_of((unit,), **chosen, default=("tiny",)))
    check_tools(out / "models")
    status = 0
    for tested in exported(jobs, out):
        (report_file,) = report_files(out, f"{tested.top}.md")
        with (
            claimed(out / "runs" / tested.top) as folder,
            working(f"{tested.top}: building and running with coverage counters"),
        ):
            covered = measure(tested, out / "models", folder)
        write_report(covered, report_file)
        console.print(
            f"lines {covered.percent('line'):.2f} %, bits toggled "
            f"{covered.percent('toggle'):.2f} %, {len(covered.unexplained)} signals not explained, "
            f"{covered.mismatches} mismatches; report: {report_file}"
        )
        if covered.mismatches or covered.unexplained:
            status = 1
    return status
