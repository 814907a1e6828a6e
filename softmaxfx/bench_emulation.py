"""``softmaxfx bench-emulation``: the units in torch, beside torch's float functions."""

from functools import partial
from pathlib import Path

import click

from .endings import OneSentence
from .files import require_file
from .golden.errors import require
from .outputs import json_option
from .study.emulation import cases as choices
from .study.emulation import places, report
from .study.emulation.jobs import Place
from .study.emulation.measured import Plan
from .terminal import console, print_table, working

DOCUMENT = Path("docs/emulation.md")
QUICK_SECONDS, SECONDS = 0.01, 1.0
"""Of the runs of a case on a CPU."""


@click.command("bench-emulation", cls=OneSentence)
@click.option(
    "--engine", "engines", multiple=True, metavar="E",
    help="compiled, torch or numpy; compiled unless given. Can be given more than once.",
)  # fmt: skip
@click.option(
    "--isa", type=click.Choice(places.ISAS),
    help="Instructions of the compiled engine, and of torch beside it; the widest unless given.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), multiple=True, metavar="N",
    help="Threads; 1 and 2 unless given. Can be given more than once.",
)  # fmt: skip
@click.option(
    "--shape", "shapes", multiple=True, metavar="ROWSxN",
    help="One of the shapes alone, as 4096x1024. Can be given more than once.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="Small shapes, to see that all works.")
@click.option("--cuda", is_flag=True, help="On a GPU, at most 6 minutes.")
@click.option("--write", is_flag=True, help=f"Write {DOCUMENT}, from a run of all shapes.")
@json_option
def bench_emulation(
    engines: tuple[str, ...],
    isa: str | None,
    threads: tuple[int, ...],
    shapes: tuple[str, ...],
    quick: bool,
    cuda: bool,
    write: bool,
    json_file: Path | None,
) -> int:
    """Measure the units in torch beside torch's float32 functions: softmax, its gradient, the
    cross-entropy, and on a GPU attention. Every bit of a sample is checked before.

    Exit status 0; 1: a bit is not the golden model's, and nothing is timed; 2: the call could not
    be carried out.
    """
    _check_options(cuda, quick or bool(shapes), write, any((engines, isa, threads)))
    found = _shapes(cuda, quick)
    cases = found.cases(shapes)
    plan = Plan(
        _places(cuda, engines, threads, isa or ""), cases, found.elements,
        QUICK_SECONDS if quick else SECONDS,
    )  # fmt: skip
    measured = plan.measure(partial(working, time_left=True))
    if json_file is not None:
        report.write_json(measured, json_file)
    if measured.difference:
        console.print(f"nothing is timed: {measured.difference}", style="red")
        return 1
    print_table(report.table(measured))
    if write:
        _write(measured)
    return 0


def _check_options(cuda: bool, part: bool, write: bool, chosen: bool) -> None:
    places.require_torch()
    require(not (cuda and chosen), "--cuda must be given without --engine, --isa and --threads")
    require(not (write and part), "--write must be given without --quick and --shape")
    if write:
        require_file("the document", DOCUMENT)


def _shapes(cuda: bool, quick: bool) -> choices.Shapes:
    if quick:
        return choices.QUICK_CUDA if cuda else choices.QUICK
    return choices.CUDA if cuda else choices.cpu_shapes(choices.free_memory())


def _places(
    cuda: bool, engines: tuple[str, ...], threads: tuple[int, ...], isa: str
) -> list[Place]:
    with working("looking for the engines (a first run compiles one, about a minute)"):
        if cuda:
            return places.on_cuda()
        return places.on_cpu(engines or ("compiled",), threads, isa)


def _write(measured: report.Measured) -> None:
    """Write the document.

    Raises:
        ConfigError: not all was timed.
    """
    missing = sum(result.run is None for result in measured.results)
    require(not missing, f"--write must be of all cases, and the time was over before {missing}")
    report.write_document(measured, DOCUMENT)
    console.print(f"document: {DOCUMENT}")
