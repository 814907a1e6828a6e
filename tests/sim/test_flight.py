"""The limit of rows in flight: short rows reach it, and nothing is lost."""

import numpy as np
import pytest

from softmaxfx.golden import preset

from ..conftest import left_long
from .blocked import run_blocked
from .planting import planted
from .rows import unit_rows

UNITS = {
    "softmax, tiny": ("softmax", preset("tiny")),
    "softmax, tiny, exact": ("softmax", preset("tiny", datapath="exact_sum")),
    "softmax, base": ("softmax", preset("base")),
    "softmax, base, exact": ("softmax", preset("base", datapath="exact_sum")),
    "softmax_backward, tiny": ("softmax_backward", preset("tiny")),
    "cross_entropy, tiny": ("cross_entropy", preset("tiny")),
    "cross_entropy, tiny, exact": ("cross_entropy", preset("tiny", datapath="exact_sum")),
    "adaptive_softmax, few words": (
        "adaptive_softmax", preset("tiny", vocabulary=4, cutoffs=(1, 2))
    ),
}  # fmt: skip
BLOCKED = "rows of one element, the outputs blocked at first"
STREAMS = {
    "rows of one or two elements, pauses on all sides": (3000, (1, 3), ()),
    BLOCKED: (1500, (1, 2), (8,)),
}
"""Rows, their lengths, and phases of pauses after which blocked outputs are freed."""
LIMITED = {
    "softmax": "core.datapath", "softmax_backward": "core", "cross_entropy": "core.datapath"
}  # fmt: skip
"""The module of each unit that counts rows in flight."""


def streamed(unit, model, stream, folder):
    count, lengths, freed = STREAMS[stream]
    rows = unit_rows(unit, np.random.default_rng(3).integers(*lengths, count), seed=3)
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
    without = planted(
        unit, tmp_path, lambda verilog: verilog.see(LIMITED[of], "rows.available", "1'b1")
    )
    shown = streamed(without, model_of(without), BLOCKED, tmp_path / "run")
    assert shown.score.mismatches > 0
