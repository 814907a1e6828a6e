"""Cycles of a stream of words: its beats, and what it takes to fill the unit."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.study import token_cycles as module
from softmaxfx.study.token_cycles import token_cycles

CONFIG = preset("int8", lanes=4, max_length=16, vocabulary=40, cutoffs=(5, 12, 25))
FILLED = 64 + 100
"""Cycles until the first row comes, and until the last one has left."""


@pytest.fixture
def out(models, tmp_path):
    models.mkdir(parents=True, exist_ok=True)
    (tmp_path / "models").symlink_to(models, target_is_directory=True)
    return tmp_path


def words(count):
    rng = np.random.default_rng(180)
    return np.minimum(rng.zipf(1.3, count) - 1, 41)


def test_rows_that_answer_after_64_cycles_cost_their_beats(out):
    given = words(1500)
    measured = token_cycles(CONFIG, given, out)
    cluster = CONFIG.clusters.locate(given)[0]
    beats = np.array([2, 2, 4, 4])  # of 8, 7, 13 and 15 elements
    assert measured.tokens == 1500
    assert measured.rows == (cluster >= 0).sum() + (cluster > 0).sum()
    assert measured.beats == 2 * (cluster >= 0).sum() + beats[cluster[cluster > 0]].sum()
    assert measured.beats < measured.cycles <= measured.beats + FILLED
    assert measured.per_token == pytest.approx(measured.beats_per_token, rel=0.05)


def test_a_long_stream_is_cut_into_runs(out, monkeypatch):
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 40)
    given = words(100)
    measured = token_cycles(CONFIG, given, out)
    assert (measured.tokens, measured.runs) == (100, 3)
    assert measured.cycles <= measured.beats + 3 * FILLED
