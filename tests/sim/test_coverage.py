"""What the tests reach of a unit: lines, nearly every toggle, and a reason for the rest."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.sim.coverage import Coverage, measure, read, write_report
from softmaxfx.sim.coverage_reasons import Missed
from softmaxfx.sim.coverage_rows import extreme_rows, ordinary_rows

CONFIGS = {
    "max_subtract": preset("tiny", lanes=2),
    # of a range that reads every entry of its tables
    "exact_sum": preset("tiny", lanes=2, datapath="exact_sum", range=15.625, scale=0.6),
    "two passes": preset(
        "tiny", lanes=2, datapath="exact_sum", range=15.625, scale=0.6, buffer_length=40
    ),
}
LINES = {
    # what clears a probability of 1 before it is rounded, in every lane
    "max_subtract": ["core.last_pass.finish.lane0.product", "core.last_pass.finish.lane1.product"],
    "exact_sum": [],
}
"""Modules with a line that no row can reach, once for each line."""


@pytest.fixture(scope="module", params=CONFIGS)
def measured(request, unit_of, models, tmp_path_factory):
    """(unit, working directory, coverage) of a small unit."""
    unit, folder = unit_of(CONFIGS[request.param]), tmp_path_factory.mktemp("coverage")
    return unit, folder, measure(unit, models, folder)


@pytest.mark.long
def test_every_line_that_rows_can_reach_and_nearly_every_toggle_is_reached(measured):
    unit, _, result = measured
    assert result.mismatches == 0
    assert result.lines > 500
    assert result.toggles > 10_000
    lines = [missed for missed in result.missed if missed.kind == "line"]
    assert [line.module for line in lines] == LINES[unit.config.datapath]
    assert all(len(line.points) == 1 for line in lines)
    assert result.percent("toggle") >= 95


@pytest.mark.long
def test_what_is_not_reached_has_a_reason(measured):
    assert [f"{missed.module}: {missed.name}" for missed in measured[2].unexplained] == []


@pytest.mark.long
def test_a_point_without_a_reason_is_reported(measured, tmp_path):
    """Counters of a run in which the sink never waited: its pauses are not explained."""
    unit, folder, result = measured
    kept = (folder / "rows/stream/coverage.dat").read_text()
    lines = [line.rsplit(" ", 1) for line in kept.split("\n")]
    stuck = "\n".join(
        f"{point} 0" if "m_axis_tready" in point else " ".join([point, *count])
        for point, *count in lines
    )
    (tmp_path / "coverage.dat").write_text(stuck)
    less = read(unit, [tmp_path / "coverage.dat"])
    lost = [missed for missed in less.unexplained if missed.name == "m_axis_tready"]
    assert [missed.points for missed in lost] == [("0->1", "1->0")]
    assert lost[0].where == "all bits"
    assert less.percent("toggle") < result.percent("toggle")
    write_report(less, tmp_path / "report.md")
    report = (tmp_path / "report.md").read_text()
    begin, end = report.index("## Not explained"), report.index("\n## ", 200)
    assert "- top: `m_axis_tready`, all bits: the signal" in report[begin:end]


def test_the_report_groups_by_reason(tmp_path):
    carry = Missed("toggle", "core.rows", "free + give", "top bits", ("[7] 0->1", "[7] 1->0"))
    wide = Missed("toggle", "core", "x", "bits 1, 2, 5", ("[1] 0->1", "[2] 0->1", "[5] 1->0"))
    line = Missed("line", "core", "if (never)", "all bits", ("line 7, if",))
    result = Coverage("unit", 0, lines=4, toggles=10, missed=(carry, wide, line))
    assert result.percent("line") == 75
    assert result.percent("toggle") == 50
    assert result.unexplained == (wide, line)
    write_report(result, tmp_path / "deep" / "report.md")
    assert (tmp_path / "deep" / "report.md").read_text() == REPORT


REPORT = """\
# Coverage of unit

- lines and branches: 75.00 % of 4
- toggles: 50.00 % of 10
- mismatches with the golden model: 0

## Not explained

- core: `x`, bits 1, 2, 5: [1] to [2] 0->1, [5] 1->0
- core: `if (never)`, all bits: line 7, if

## A counter's carry, or the sign of a difference that is never negative

- core.rows: `free + give`, top bits: [7]
"""


def test_the_rows_fill_the_unit():
    config, rng = preset("int8", max_length=24), np.random.default_rng(0)
    for make in (ordinary_rows, extreme_rows):
        rows = make(config, 100, rng)
        assert set(rows.lengths) <= set(range(1, 25))
        assert {1, 24} <= set(rows.lengths)
        assert rows.active.any()
        assert not rows.active[rows.present].all()
