"""Rows through the simulated unit take the cycles that are planned with."""

import pytest

from softmaxfx.golden.config import preset
from softmaxfx.study.plan import rows


def test_lengths_fill_beats_and_begin_them():
    assert rows.lengths_to(20, 8) == [1, 8, 9, 16, 17, 20]
    assert rows.lengths_to(4, 1) == [1, 2, 3, 4]


@pytest.mark.long
@pytest.mark.parametrize("datapath", ["exact_sum", "max_subtract"])
def test_rows_take_a_cycle_a_beat(datapath, tmp_path):
    config = preset("base").replace(datapath=datapath, lanes=4, max_length=64)
    for row in rows.measured(config, tmp_path):
        assert row.cycles == row.planned == -(-row.elements // 4)
