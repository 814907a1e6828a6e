"""Rows that are all there, as sites: recordings, and files of a user's own."""

import numpy as np
import pytest

from softmaxfx.golden import ConfigError
from softmaxfx.study import recordings
from softmaxfx.study.probe.own_rows import of_files
from softmaxfx.study.probe.recorded import RECORDED
from softmaxfx.study.probe.seen import seen


def test_heads_and_epochs_are_told_apart():
    logits = np.arange(24.0).reshape(6, 4)
    site = seen("x", {"a": logits, "b": -logits}, seed=1, heads=2)
    assert [figures.logit.high for figures in site.heads] == [11.0, 23.0]
    assert {name: record.high.max() for name, record in site.epochs.items()} == {"a": 23, "b": 0}
    assert (site.figures.rows, site.figures.logit.low, site.figures.logit.high) == (12, -23, 23)
    assert seen("x", {"": logits}, seed=1).heads == []


def test_what_ends_a_row_or_is_masked_takes_no_part():
    logits = np.array([[1.0, -np.inf, np.nan], [3.0, 2.0, 1.0]])
    site = seen("x", {"": logits}, seed=1)
    assert site.figures.elements == 4
    assert sorted(site.sample.lengths) == [1, 3]


def test_blocks_add_up(monkeypatch):
    logits = np.random.default_rng(1).normal(0, 5, (50, 7))
    whole = seen("x", {"": logits}, seed=1, heads=2)
    monkeypatch.setattr("softmaxfx.study.probe.seen.BLOCK", 30)
    parts = seen("x", {"": logits}, seed=1, heads=2)
    for name, value in vars(whole.record).items():
        np.testing.assert_allclose(getattr(parts.record, name), value, rtol=1e-6, err_msg=name)


def test_the_recorded_classifier_is_what_its_provenance_says():
    (site,) = RECORDED["digits"](1)
    assert (site.figures.rows, site.figures.elements) == (1797, 17970)
    assert round(site.figures.logit.low, 2) == -49.46
    assert round(site.figures.logit.high, 2) == 46.64


def test_the_recorded_language_model_has_its_layers_and_heads():
    sites = RECORDED["language"](1)
    assert [site.name for site in sites[:2]] == ["layer 1: attention", "layer 2: attention"]
    assert len(sites) == 8
    scores = recordings.load("attention").reshape(6, 4, 4, 256, 256)  # texts, layers, heads
    for layer, site in enumerate(sites[:4]):
        assert site.record.high.tolist() == [np.nanmax(scores[:, layer, head]) for head in range(4)]
        assert not site.decides
    assert list(sites[4].epochs) == [
        f"after {step:,} updates" for step in recordings.training_steps()
    ]
    last = recordings.training_gradients(1199)[0][256:512]
    assert sites[5].epochs["after 1,199 updates"].low[0] == np.nanmin(last)


def test_files_are_sites_by_their_names(tmp_path):
    np.save(tmp_path / "mine.npy", np.array([[1.0, 2.0, np.nan], [5.0, -np.inf, 3.0]]))
    (site,) = of_files([tmp_path / "mine.npy"], 1)
    assert site.name == "mine"
    assert (site.figures.rows, site.figures.elements) == (2, 4)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (np.full((2, 3), -np.inf), r"must hold an element that takes part, and all are masked$"),
        (np.zeros(3), r"mine\.npy: logits must be a 2-D array"),
        (np.array([[1.0, np.inf]]), r"mine\.npy: logits must not be \+inf, as at row 0"),
    ],
)
def test_files_without_rows_are_one_sentence(rows, sentence, tmp_path):
    np.save(tmp_path / "mine.npy", rows)
    with pytest.raises(ConfigError, match=sentence):
        of_files([tmp_path / "mine.npy"], 1)
