"""The limit of rows in flight: short rows reach it, and nothing is lost."""

import re
from dataclasses import replace

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.blocked import run_blocked
from softmaxfx.sim.kinds import kind_of

from ..conftest import left_long

UNITS = {
    "softmax, tiny": ("softmax", preset("tiny")),
    "softmax, tiny, exact": ("softmax", preset("tiny", datapath="exact_sum")),
    "softmax, base": ("softmax", preset("base")),
    "softmax, base, exact": ("softmax", preset("base", datapath="exact_sum")),
    "softmax_backward, tiny": ("softmax_backward", preset("tiny")),
    "cross_entropy, tiny": ("cross_entropy", preset("tiny")),
    "cross_entropy, tiny, exact": ("cross_entropy", preset("tiny", datapath="exact_sum")),
}
STREAMS = {
    "rows of one or two elements, pauses on all sides": (3000, (1, 3), ()),
    "rows of one element, the outputs blocked at first": (1500, (1, 2), (8,)),
}
"""Rows, their lengths, and phases of pauses after which blocked outputs are freed."""
ROWS_ALONE = re.compile(r"^(  assign (?:i__ready|\\\$\d+ ) = available) & \\available\$\d+ ;", re.M)
"""Where a unit asks for credits of a beat and of a row."""


def streamed(unit, model, stream, folder):
    count, lengths, freed = STREAMS[stream]
    rng = np.random.default_rng(3)
    values = rng.normal(0, 4, (count, lengths[1] - 1))
    values[np.arange(values.shape[1]) >= rng.integers(*lengths, (count, 1))] = np.nan
    rows = kind_of(unit).rows(LogitRows.from_array(values), unit.config, rng)
    blocked = [port.name for port in unit.outputs] if freed else []
    return run_blocked(
        unit, model, rows, folder, blocked, freed_after=freed[0] if freed else None, seed=4
    )


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("name", UNITS)
def test_short_rows_are_all_right(name, stream, unit_of, model_of, tmp_path):
    of, config = UNITS[name]
    unit = unit_of(config, unit=of)
    shown = streamed(unit, model_of(unit), stream, tmp_path)
    assert (shown.score.first, shown.score.mismatches) == ("", 0)
    assert shown.whole


@pytest.mark.parametrize(
    "name",
    left_long([name for name in UNITS if "tiny" in name], "softmax, tiny", "softmax, tiny, exact"),
)
def test_a_unit_without_the_limit_is_found_out(name, unit_of, model_of, tmp_path):
    of, config = UNITS[name]
    unit = unit_of(config, unit=of)
    text, places = ROWS_ALONE.subn(r"\1;", unit.verilog.read_text())
    assert places == 1
    verilog = tmp_path / unit.verilog.name
    verilog.write_text(text)
    without = replace(unit, verilog=verilog)
    shown = [
        streamed(without, model_of(without), stream, tmp_path / str(place))
        for place, stream in enumerate(STREAMS)
    ]
    assert any(run.score.mismatches or not run.whole for run in shown)
