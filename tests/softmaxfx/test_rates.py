"""How fast a sweep is on two processors, by the processor time it takes: a busy machine changes
little of that, where it changes a clock."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

WORKERS = 2
SPACE = """
sources = ["digits", "attention", "training"]
[base]
preset = "base"
lanes = 1
[[grid]]
[grid.axes]
datapath = ["max_subtract", "exact_sum"]
input = { from = 1, to = 11, step = 1, format = "SQ(5, {})" }
output = { from = 6, to = 16, step = OUTPUTS, format = "UQ(0, {})" }
mantissa_bits = MANTISSAS
"""


def swept(folder: Path, space: str, out: str, *options: str) -> tuple[int, float]:
    """(results, seconds of processors) of a sweep without designs."""
    (folder / "space.toml").write_text(space)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "softmaxfx", "sweep", "--no-designs", "--workers", WORKERS]
    files = ["--space", folder / "space.toml", "--out", folder / out]
    subprocess.run([str(word) for word in [*command, *files, *options]], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = (folder / out / "results.csv").read_text().count("\n") - 1
    return lines, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("options", "outputs", "mantissas", "least"),
    [(["--no-bound"], 1, "[16, 18, 20]", 3000), ([], 2, "[18]", 300)],
    ids=["without bounds", "with bounds"],
)
def test_points_a_minute_and_the_same_table_again(options, outputs, mantissas, least, tmp_path):
    space = SPACE.replace("OUTPUTS", str(outputs)).replace("MANTISSAS", mantissas)
    points, seconds = swept(tmp_path, space, "first", *options)
    _, again = swept(tmp_path, space, "first", *options)  # all but the sweeping
    rate = points / ((seconds - again) / WORKERS) * 60
    sys.stdout.write(
        f"{points} results in {seconds:.1f} s of processors, {again:.1f} s where all are known: "
        f"{rate:.0f} a minute on {WORKERS}\n"
    )
    table = (tmp_path / "first" / "results.csv").read_bytes()
    swept(tmp_path, space, "second", *options)
    assert (tmp_path / "second" / "results.csv").read_bytes() == table
    assert rate >= least
