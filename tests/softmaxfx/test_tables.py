"""Tables and paths are whole on a terminal of any width, and in a pipe."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

from softmaxfx import terminal
from softmaxfx.fpga import bench_report
from softmaxfx.fpga.peers import load_peers
from softmaxfx.golden.torch.reference import REFERENCES, Comparison, Distance
from softmaxfx.sim import report
from softmaxfx.study import reference_report
from softmaxfx.study.emulation import report as emulated
from softmaxfx.study.emulation.cases import LOSS, Case, Shape
from softmaxfx.study.emulation.jobs import Place
from softmaxfx.study.emulation.measured import Measured, Result
from softmaxfx.study.emulation.run import Run
from softmaxfx.study.jacobian_cost import FormCost, JacobianCost
from softmaxfx.study.references import ComparedOutput

PEERS = load_peers()
EVERY_UNIT = {
    "rows": 26373, "elements": 3175986, "mismatches": 0, "elements_per_cycle": 7.885,
    "latency_cycles": 55, "max_error_ulp": 0.694, "bound_ulp": 0.888,
    "max_error_unclipped": 0.9, "clip_rate": 0.0294, "zero_share": 0.1121, "seconds": 4.2,
}  # fmt: skip
OWN = {
    "softmax": {"tie_rate": 0.0343, "sum_min": 0.9995, "sum_mean": 1.0, "mass_loss_rate": 0.125,
                "winner_clip_rate": 0.071},
    "softmax_backward": {"saturated_share": 0.5},
    "cross_entropy": {"loss_max_error_ulp": 0.527, "loss_bound_ulp": 0.652, "ignored_rows": 12,
                      "mean_loss": 4.0138},
}  # fmt: skip


def simulations() -> list[Table]:
    """Of all units, by four configurations each."""
    fields = [
        {"unit": unit, "preset": preset, "datapath": datapath, **EVERY_UNIT, **own}
        for unit, own in OWN.items()
        for preset in ("base", None)
        for datapath in ("max_subtract", "exact_sum")
    ]
    nothing = report.Histogram(np.zeros(2), np.zeros(2), np.zeros((1, 1), int))
    return report.tables([report.Shown(one, (), nothing, ()) for one in fields])


def references() -> Table:
    """Some that were compared, some that say why they were not."""
    apart = Distance(0.694321, 0.25, 1.5e-5)
    output = ComparedOutput(
        "P", "the exact softmax of the codes", 0.888,
        [
            Comparison(one, *(("", apart, apart) if place else ("no element", None, None)))
            for place, one in enumerate(REFERENCES)
        ],
    )  # fmt: skip
    return reference_report.comparison_table("softmax base max_subtract", output)


def costs() -> Table:
    """Of two lengths of rows."""
    forms = FormCost(67_108_864, 0.0123), FormCost(16_384, 0.0001)
    measured = [JacobianCost(REFERENCES[0], length, *forms, 1e-7) for length in (64, 4096)]
    return reference_report.cost_table("torch float32 on CPU", measured)


def emulation() -> Table:
    """Of a case that was timed on a GPU, and of one that was not."""
    case = Case(LOSS, Shape((16384, 13777), True), "base", "max_subtract")
    run = Run("graph", 1.23456, 2.34567, 21, 1.5e12, 2.5e12, 1 << 30, 1 << 33)
    place = Place("triton", "cuda")
    return emulated.table(Measured([], [Result(place, case, 10**8, one) for one in (run, None)]))


TABLES = {
    "softmax": lambda: simulations()[0],
    "softmax_backward": lambda: simulations()[1],
    "cross_entropy": lambda: simulations()[2],
    "references": references,
    "costs": costs,
    "emulation": emulation,
    "benchmarks": lambda: bench_report.table([], PEERS),
}


def cells(table: Table) -> list[str]:
    """Every cell but the first of a row, which is a name."""
    return [str(cell) for column in table.columns[1:] for cell in column.cells if cell]


def printed(table: Table, capsys) -> list[str]:
    terminal.print_table(table)
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.mark.parametrize("width", [20, 40, 80, 120, 400])
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_every_figure_is_whole_on_a_terminal(make, width, monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    table = make()
    lines = printed(table, capsys)
    assert "…" not in "".join(lines)
    found = [part.strip() for line in lines for part in re.split("[│┃]|: ", line)]
    for cell in cells(table):
        assert cell in found
    if width >= 80:
        drawn = [line for line in lines if line[:1] in "│┃┏┡└├"]
        assert drawn
        assert max(map(len, drawn)) <= width


@pytest.mark.parametrize("columns", [None, "40", "80"])
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_every_row_is_one_line_in_a_pipe(make, columns, monkeypatch, capsys):
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    table = make()
    lines = printed(table, capsys)
    rows = [line for line in lines if line.startswith("│")]
    assert len(rows) == table.row_count
    for place, line in enumerate(rows):
        assert [cell.strip() for cell in line[1:-1].split("│")] == [
            str(list(column.cells)[place]) for column in table.columns
        ]


def test_a_mismatch_is_red_in_a_table_that_is_turned_over(monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    table = simulations()[0]
    table.rows[1].style = "red"
    (block, *_) = terminal._turned(table, 80)
    assert [column.style for column in block.columns[1:]] == ["", "red", ""]


def on_a_terminal(arguments: list[str], columns: int, folder: Path) -> str:
    """What a command prints on a real terminal."""
    leader, follower = pty.openpty()
    subprocess.run(
        ["/bin/sh", "-c", f'stty cols {columns} <&1; exec "$@"', "sh", *arguments],
        stdout=follower, stderr=follower, cwd=folder, check=True,
        env={key: value for key, value in os.environ.items() if key != "COLUMNS"},
    )  # fmt: skip
    os.close(follower)
    printed = b""
    try:
        while octets := os.read(leader, 1 << 16):
            printed += octets
    except OSError:  # how the end of a terminal reads
        pass
    os.close(leader)
    return printed.decode()


@pytest.mark.parametrize("columns", [40, 80])
def test_a_path_is_whole_on_a_real_terminal(columns, tmp_path):
    out = "a folder/with [brackets] and :smile:/" + "long" * 20
    arguments = ["-m", "softmaxfx", "export", "--preset", "tiny", "--name", "unit", "--out", out]
    printed = on_a_terminal([sys.executable, *arguments], columns, tmp_path)
    assert f"{out}/unit.v  proven error 0.887 ulp" in printed


def test_a_path_is_whole_in_a_pipe(tmp_path):
    out = "a folder/with [brackets] and :smile:/" + "long" * 20
    arguments = ["-m", "softmaxfx", "export", "--preset", "tiny", "--name", "unit", "--out", out]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert f"{out}/unit.v  proven error 0.887 ulp\n" in done.stdout
