"""``softmaxfx bench``: the published units, beside other open hardware."""

from pathlib import Path

import click

from .endings import OneSentence
from .files import require_folder
from .fpga import bench as published
from .fpga import bench_report
from .fpga.bench_picture import write_picture
from .fpga.exports import exported
from .fpga.flow import Flow
from .fpga.peers import load_peers
from .golden.errors import require
from .jobs import benched
from .options import seeds_option
from .outputs import OutFile, report_files
from .sim.simulator import check_tools
from .terminal import console, print_table, working


@click.command("bench", cls=OneSentence)
@seeds_option
@click.option(
    "--out", type=OutFile(), default="docs/benchmarks.md", show_default=True, metavar="FILE.md",
    help="The document; its picture lies beside it.",
)  # fmt: skip
def bench(seeds: int, out: Path) -> None:
    """Synthesise a fixed list of units: their goals, and other open hardware beside them.

    A unit that does not fit is told of like the others.
    """
    require(out.suffix == ".md", f"--out must be a .md file, not {out}")
    folder, picture = Path("build/synth"), out.with_suffix(".png")
    report_files(out.parent, picture.name)
    require_folder("the working folder", folder)
    check_tools(folder / "models")
    cases = published.CASES
    with working(f"exporting {len(cases)} units"):
        units = [
            exported(
                case.config, folder, unit=case.unit, preset=case.preset, target=case.primitives
            )
            for case in cases
        ]
    chips = {case.device.name: case.device for case in cases}
    with working("starting yosys and nextpnr (a first run compiles them, about a minute)"):
        flows = {name: Flow.find(chip, folder / "cache") for name, chip in chips.items()}
    results = []
    for number, (case, unit) in enumerate(zip(cases, units, strict=True), 1):
        console.print(f"{number} of {len(units)}: {case.name} for {case.target}")
        results.append(benched(case, unit, flows[case.device.name], seeds, folder))
    peers = load_peers()
    print_table(bench_report.table(results, peers))
    bench_report.write_document(
        results, [*flows.values()], peers, tuple(range(1, seeds + 1)), out, picture
    )
    write_picture(results, peers, picture)
    console.print(f"document: {out}   picture: {picture}")
