"""``softmaxfx bench``: the published units, beside other open hardware."""

from pathlib import Path

import click

from .endings import OneSentence
from .files import require_folder
from .fpga import bench as published
from .fpga import bench_report
from .fpga.bench_picture import write_picture
from .fpga.flow import Flow
from .fpga.peers import load_peers
from .golden.errors import require
from .options import seeds_option, worker_options
from .outputs import OutFile, report_files
from .placements import benched
from .sim.simulator import check_tools
from .terminal import console, print_table, working


@click.command("bench", cls=OneSentence)
@seeds_option
@worker_options
@click.option(
    "--out", type=OutFile(), default="docs/benchmarks.md", show_default=True, metavar="FILE.md",
    help="The document; its picture lies beside it.",
)  # fmt: skip
def bench(seeds: int, workers: int | None, cluster: str | None, out: Path) -> None:
    """Synthesise a fixed list of units: their goals, and other open hardware beside them.

    A unit that does not fit is told of like the others. Results are kept in build/synth: a run that
    was interrupted, or is repeated, places what is new.
    """
    require(out.suffix == ".md", f"--out must be a .md file, not {out}")
    folder, picture = Path("build/synth"), out.with_suffix(".png")
    report_files(out.parent, picture.name)
    require_folder("the working folder", folder)
    check_tools(folder / "models")
    chips = {case.device.name: case.device for case in published.CASES}
    with working("starting yosys and nextpnr (a first run compiles them, about a minute)"):
        flows = {name: Flow.find(chip, folder / "cache") for name, chip in chips.items()}
    results = benched(published.CASES, flows, seeds, folder, workers=workers, cluster=cluster)
    peers = load_peers()
    print_table(bench_report.table(results, peers))
    bench_report.write_document(
        results, [*flows.values()], peers, tuple(range(1, seeds + 1)), out, picture
    )
    write_picture(results, peers, picture)
    console.print(f"document: {out}   picture: {picture}")
