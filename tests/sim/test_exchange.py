"""What is sent and what comes, part by part, and runs that keep models and do not meet."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.sim.exchange import send_parts, send_rows
from softmaxfx.sim.kinds import kind_of
from softmaxfx.sim.runs import attacked, simulated
from softmaxfx.sim.store import claimed
from softmaxfx.sim.testbench import Neighbours

from .rows import random_rows

SMALL = preset("tiny", lanes=2, max_length=8)
QUIET = Neighbours(pauses=False, seed=1)


@pytest.fixture
def unit(unit_of):
    return unit_of(SMALL)


@pytest.fixture
def rows() -> LogitRows:
    """Rows of 1 to 8 elements."""
    rng = np.random.default_rng(2)
    return random_rows(rng.integers(1, SMALL.max_length + 1, 30), rng)


def test_every_beat_comes_with_its_cycle(unit, model_of, rows, tmp_path):
    came = send_rows(unit, model_of(unit), rows, tmp_path, QUIET)
    score = came.score()
    assert (score.first, score.mismatches, score.elements) == ("", 0, rows.elements)
    beats = int((-(-rows.lengths // 2)).sum())
    cycles = came.part.cycles["m_axis"]
    assert len(came.accepted["s_axis"]) == len(cycles) == len(came.part.beats["m_axis"]) == beats
    assert (np.diff(cycles) > 0).all()
    assert (np.diff(came.accepted["s_axis"]) > 0).all()
    assert (came.refused, came.hung, came.flooded) == (0, False, False)


def test_rows_that_wait_come_one_at_a_time(unit, model_of, rows, tmp_path):
    waits = np.arange(len(rows.lengths)) >= 20
    came = send_rows(unit, model_of(unit), rows, tmp_path, QUIET, drain={"s_axis": waits})
    assert came.score().mismatches == 0
    ends = np.flatnonzero(came.part.beats["m_axis"].last)
    starts = np.cumsum(-(-rows.lengths // 2))[:-1]  # the first beat of every row but the first
    accepted, emitted = came.accepted["s_axis"][starts], came.part.cycles["m_axis"][ends[:-1]]
    assert (accepted[19:] > emitted[19:]).all()
    assert (accepted[:19] < emitted[:19]).any()


def test_each_part_has_what_came_between_its_resets(unit, model_of, rows, tmp_path):
    sent = [kind_of(unit).pack(rows.take(slice(*part)), unit) for part in ((0, 12), (12, 30))]
    came = send_parts(unit, model_of(unit), sent, tmp_path, QUIET)
    begun, whole = came.parts
    assert begun.score_begun().mismatches == whole.score().mismatches == 0
    assert len(whole.beats["m_axis"]) == len(sent[1]["s_axis"])
    assert 0 < len(begun.beats["m_axis"]) <= len(sent[0]["s_axis"])
    with pytest.raises(ValueError, match="too many values to unpack"):
        _ = came.part


def test_a_unit_that_is_blocked_refuses_beats(unit, model_of, rows, tmp_path):
    many = rows.take(np.arange(len(rows.lengths)).repeat(20))
    blocked = Neighbours(pauses=False, seed=1, blocked=frozenset({"m_axis"}))
    came = send_rows(unit, model_of(unit), many, tmp_path, blocked)
    beats = int((-(-many.lengths // 2)).sum())
    assert came.hung
    assert came.refused == beats - len(came.accepted["s_axis"]) > 0
    assert came.part.score_begun().mismatches == 0
    assert came.score().mismatches > 1


def test_a_run_in_a_directory_keeps_its_model_there(unit, rows, models, tmp_path):
    models.mkdir(parents=True, exist_ok=True)
    (tmp_path / "models").symlink_to(models, target_is_directory=True)
    with claimed(tmp_path / "runs" / unit.top):
        shown = simulated(unit, rows, tmp_path)
    assert (shown.score.first, shown.rows) == ("", len(rows.lengths))
    # the folder was somebody's
    assert (tmp_path / "runs" / f"{unit.top}-2" / "stream").is_dir()
    assert not (tmp_path / "runs" / unit.top).exists()
    hostile = attacked(unit, 100, tmp_path, name="hostile")
    assert (hostile.first, hostile.mismatches) == ("", 0)
    assert (tmp_path / "runs" / "hostile").is_dir()
