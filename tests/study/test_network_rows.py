"""Rows of pretrained networks: stored so that the largest elements are exact."""

import hashlib
import re

import numpy as np
import pytest

from softmaxfx.golden.measures.exact import exact_softmax
from softmaxfx.study import recordings
from softmaxfx.study.models.provenance import HEADING, described, section
from softmaxfx.study.network_rows import (
    NAMES,
    NETWORKS_FILE,
    WHOLE,
    NetworkRows,
    network_rows,
    stored,
)

OUTPUTS = ("smollm2_output", "efficientnet_output")


def test_what_is_stored_is_read_again(tmp_path):
    rows = [np.array([41.3, 41.29, -7.7], np.float32), np.array([-80.1], np.float32)]
    file = tmp_path / "rows.npz"
    np.savez_compressed(file, **stored({"a": NetworkRows.of(rows, [2, -1])}))
    found = network_rows("a", file)
    assert found.lengths.tolist() == [3, 1]
    assert found.targets.tolist() == [2, -1]
    padded = found.padded()
    assert padded[0, 0] == np.float32(41.3)
    assert padded[1, 0] == np.float32(-80.1)
    assert np.isnan(padded[1, 1:]).all()
    assert padded[0, 1] == np.float32(41.3) + np.float16(
        np.float32(41.29) - np.float64(np.float32(41.3))
    )
    assert abs(padded[0, 2] - np.float32(-7.7)) <= 2.0**-6


def test_probabilities_are_those_of_the_rows_to_half_a_thousandth():
    """Half a step of float16 at a distance d is at most d * 2^-11, and exp(-d) d <= 1/e."""
    rng = np.random.default_rng(2)
    rows = rng.normal(0, 8, (50, 200)) + rng.normal(0, 20, (50, 1))
    active = np.ones(rows.shape, bool)
    exact = exact_softmax(rows, active)
    found = exact_softmax(NetworkRows.of(list(rows)).padded(), active)
    assert np.abs(found - exact).max() < 2.0**-11


@pytest.mark.parametrize("name", NAMES)
def test_recorded_rows_fit_a_unit_and_are_finite(name):
    rows = recordings.load(name)
    assert rows.dtype == np.float64
    assert rows.shape[1] <= 1024
    inside = ~np.isnan(rows)
    assert np.isfinite(rows[inside]).all()
    assert (np.diff(inside.astype(int), axis=1) <= 0).all()
    assert inside.any(axis=1).all()


def test_the_pretrained_networks_logits_are_large():
    largest = {name: network_rows(name).largest for name in NAMES}
    assert np.mean(largest["smollm2_output"] > 10) > 0.9
    assert largest["smollm2_output"].max() > 32
    assert largest["minilm_attention"].max() > 32
    assert np.mean(largest["efficientnet_output"] > 10) < 0.5


@pytest.mark.parametrize("name", OUTPUTS)
def test_classes_are_elements_of_their_rows_or_unknown(name):
    targets, rows = recordings.network_targets(name), network_rows(name)
    assert targets.shape == rows.lengths.shape
    assert targets.dtype == np.int64
    assert ((targets >= -1) & (targets < rows.lengths)).all()
    known = targets >= 0
    assert known.mean() > 0.3
    best = np.nanargmax(recordings.load(name), axis=1)
    assert 0.2 < np.mean(best[known] == targets[known]) < 1


def test_attention_has_no_classes():
    for name in set(NAMES) - set(OUTPUTS):
        assert recordings.network_targets(name).size == 0


def test_whole_rows_hold_all_words():
    rows = recordings.load(WHOLE)
    assert rows.shape == (8, 49152)
    assert not np.isnan(rows).any()


def test_provenance_describes_the_file():
    text = (recordings.DATA / "PROVENANCE.md").read_text(encoding="utf-8")
    content = NETWORKS_FILE.read_bytes()
    described = re.search(r"\| `networks.npz` \| (\d+) \| `([0-9a-f]{64})` \|", text)
    assert described is not None
    assert int(described[1]) == len(content) <= 3_000_000
    assert described[2] == hashlib.sha256(content).hexdigest()


def test_provenance_is_what_the_file_shows():
    text = (recordings.DATA / "PROVENANCE.md").read_text(encoding="utf-8")
    assert described(text) == text
    assert text.endswith(section())
    assert text.count(HEADING) == 1
