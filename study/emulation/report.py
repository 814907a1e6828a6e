"""Shows what was measured: a table, JSON, and a document."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from ...files import json_text, markdown_table, write_whole
from .measured import Measured, Result
from .run import Run

LEFT = ("engine", "operation", "shape", "preset", "datapath", "mode")
"""Columns of words."""
_OF_RUN: dict[str, Callable[[Run], str]] = {
    "mode": lambda run: run.mode,
    "float ms": lambda run: _milliseconds(run.float_seconds),
    "ours ms": lambda run: _milliseconds(run.seconds),
    "ratio": lambda run: f"{run.ratio:.2f}",
    "GB/s": lambda run: _giga(run.bytes_per_second),
    "copy GB/s": lambda run: _giga(run.copy_bytes_per_second),
    "float peak MiB": lambda run: _mebibytes(run.float_peak_bytes),
    "ours peak MiB": lambda run: _mebibytes(run.peak_bytes),
}
_CPU_COLUMNS = ("float ms", "ours ms", "ratio")
CPU, CUDA = "On a CPU", "On a GPU"
"""Sections of the document."""


def table(measured: Measured) -> Table:
    """A line for each case that was timed."""
    shown = Table(title="fixed point beside torch's float32 functions; a sample checked before")
    heading, rows = cells(measured)
    for name in heading:
        shown.add_column(name, justify="left" if name in LEFT else "right")
    for row in rows:
        shown.add_row(*row)
    return shown


def cells(measured: Measured) -> tuple[list[str], list[list[str]]]:
    """(heading, rows) of the table."""
    on_cuda = any(result.place.device == "cuda" for result in measured.results)
    of_run = tuple(_OF_RUN) if on_cuda else _CPU_COLUMNS
    heading = ["engine", "threads", "operation", "shape", "preset", "datapath", *of_run]
    return heading, [_row(result, of_run) for result in measured.results]


def _row(result: Result, of_run: Sequence[str]) -> list[str]:
    place, case, run = result.place, result.case, result.run
    times = [_OF_RUN[name](run) if run else "not run" for name in of_run]
    return [
        f"{place.engine} {place.isa}".strip(),
        str(place.threads) if place.device == "cpu" else "-",
        case.operation, case.shape.words, case.preset, case.datapath, *times,
    ]  # fmt: skip


def fields(measured: Measured) -> dict[str, Any]:
    """Everything, as plain JSON values."""
    return {
        "difference": measured.difference,
        "processes": measured.processes,
        "results": [_fields(result) for result in measured.results],
    }


def _fields(result: Result) -> dict[str, Any]:
    run = result.run
    times = {**asdict(run), "ratio": run.ratio} if run else {"mode": None, "ratio": None}
    case = result.case
    shape = {"shape": list(case.shape.size), "causal": case.shape.causal}
    named = {"operation": case.operation, "preset": case.preset, "datapath": case.datapath}
    return {**asdict(result.place), **named, **shape, "checked": result.checked, **times}


def write_json(measured: Measured, path: Path) -> None:
    """The fields.

    Raises:
        ConfigError: a path that cannot be written.
    """
    write_whole(path, json_text(fields(measured)))


def write_document(measured: Measured, path: Path) -> None:
    """Write the section of the device that was measured; that of another device stays.

    Raises:
        ConfigError: a path that cannot be written.
    """
    title = CUDA if measured.results[0].place.device == "cuda" else CPU
    sections = {**_sections(path), title: _section(measured, title)}
    known = [sections[name] for name in (CPU, CUDA) if name in sections]
    write_whole(path, "\n\n".join([*_INTRODUCTION, *known, *_AGAIN]) + "\n")


_INTRODUCTION = (
    "# The units in torch, beside torch's float functions",
    "Written by `softmaxfx bench-emulation --write`; do not edit. What it costs to have the "
    "hardware's bits in torch: a ratio of 2 means that ours takes twice as long as torch's float32 "
    "function on the same tensor. Before anything was timed, a sample of every output of every "
    "case was held against the golden model, bit by bit; nothing differed. Results are new "
    "tensors, as in use; max_length is raised where a shape has longer rows. Causal: row i holds "
    "-inf in the columns above i mod n.",
)
_AGAIN = (
    "## Again",
    "`make bench-emulation ARGS=--write` measures the CPU of the machine that it runs on and "
    "writes that section of this file; with `--cuda` beside it, the GPU. Let the machine do "
    "nothing else. `softmaxfx bench-emulation --help` tells the options.",
)
_RULES = {
    CPU: "Each engine and number of threads runs in a process of its own. torch's function and "
    "ours take turns there; times are the least of many runs, the ratio is that of these.",
    CUDA: "Medians, by CUDA events. Before each run, more is written than the L2 cache holds. "
    "Eager is as a user calls it, input checks included; a graph is a replay without them. GB/s "
    "counts what must be read and written at least, beside a copy of as many bytes on the device. "
    "Attention is of bfloat16, beside torch's flash kernel; its bits were held against the layer "
    "that stores p, of scores and sums that a float32 holds exactly.",
}


def _section(measured: Measured, title: str) -> str:
    machines = dict.fromkeys(_machine(process) for process in measured.processes)
    heading, rows = cells(measured)
    lines = [f"## {title}", "", *(f"- {machine}" for machine in machines), ""]
    return "\n".join([*lines, _RULES[title], "", *markdown_table(heading, rows)])


def _machine(process: dict[str, Any]) -> str:
    """What a process ran on, in words."""
    return (
        f"{process['engine']} {process['isa']}".strip() + f": {process['processor']}, torch "
        f"{process['torch']} with {process['instructions']}, threads {process['threads']}"
    )


def _sections(path: Path) -> dict[str, str]:
    """The sections that a document has, by title."""
    if not path.exists():
        return {}
    _, *parts = path.read_text(encoding="utf-8").split("\n## ")
    return {part.partition("\n")[0]: f"## {part.strip()}" for part in parts}


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.3f}"


def _giga(rate: float | None) -> str:
    return "-" if rate is None else f"{rate / 1e9:,.0f}"


def _mebibytes(count: int | None) -> str:
    return "-" if count is None else f"{count / 2**20:,.0f}"
