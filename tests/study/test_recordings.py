"""The recorded softmax inputs are the documented files, exact, and varied enough to test with."""

import hashlib
import re
import subprocess
import sys

import numpy as np
import pytest

from softmaxfx.study import recordings
from softmaxfx.study.network_rows import NETWORKS_FILE

CONTEXT = 256
HEAD_WIDTH = 16
CAUSAL_SCORES_PER_MAP = CONTEXT * (CONTEXT + 1) // 2
GRID_BITS = 12
FLOAT64_BITS = 53


@pytest.fixture(scope="module")
def attention() -> np.ndarray:
    return recordings.load("attention")


@pytest.fixture(scope="module")
def vectors() -> dict[str, np.ndarray]:
    """The stored attention vectors as whole multiples of the grid, shape (maps, 256, 16)."""
    with np.load(recordings.RECORDINGS_FILE) as stored:
        names = ("query", "key", "value", "grad_output")
        arrays = {name: stored[f"attention_{name}"].astype(np.float64) for name in names}
    return {name: np.ldexp(array, GRID_BITS) for name, array in arrays.items()}


def causal(maps: np.ndarray) -> np.ndarray:
    """The entries of shape (maps, 256, 256) at keys up to the query, row after row, flat."""
    return maps[:, np.tri(CONTEXT, dtype=bool)].ravel()


def present(rows: np.ndarray) -> np.ndarray:
    """The entries that are not padding, row after row, flat."""
    return rows[~np.isnan(rows)]


@pytest.mark.parametrize(
    "path", [recordings.CORPUS_FILE, recordings.RECORDINGS_FILE, recordings.GRADIENTS_FILE]
)
def test_file_is_the_one_provenance_describes(path):
    provenance = (recordings.DATA / "PROVENANCE.md").read_text(encoding="utf-8")
    described = re.search(rf"\| `{path.name}` \| (\d+) \| `([0-9a-f]{{64}})` \|", provenance)
    assert described is not None
    content = path.read_bytes()
    assert len(content) == int(described[1])
    assert hashlib.sha256(content).hexdigest() == described[2]


def test_files_are_small_enough_for_a_repository():
    sizes = {path: path.stat().st_size for path in recordings.DATA.iterdir()}
    assert sizes.pop(recordings.CORPUS_FILE) <= 1_000_000
    assert sizes.pop(NETWORKS_FILE) <= 3_000_000
    assert sum(sizes.values()) <= 2_500_000


def test_reading_needs_numpy_only():
    code = (
        "import sys; from softmaxfx.study import recordings; recordings.load('digits');"
        "sys.exit(bool({'torch', 'sklearn', 'rich', 'click'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", recordings.names())
def test_rows_are_float64_and_reach_beyond_ten_both_ways(name):
    rows = recordings.load(name)
    assert rows.dtype == np.float64
    assert rows.ndim == 2
    values = present(rows)
    assert np.isfinite(values).all()
    assert values.min() < -10
    assert values.max() > 10


def test_unknown_name_is_refused_in_one_sentence():
    with pytest.raises(
        ValueError,
        match=r"^name must be one of 'digits', 'attention', 'smollm2_attention', .*, but is 'x'$",
    ):
        recordings.load("x")


def test_digits_are_the_logits_of_a_classifier_that_works():
    logits = recordings.load("digits")
    right = logits.argmax(axis=1) == recordings.digits_targets()
    held_out = recordings.digits_held_out()
    assert logits.shape == (1797, 10)
    assert not np.isnan(logits).any()
    assert 300 < held_out.sum() < 420
    assert right[held_out].mean() > 0.95


def test_attention_has_more_than_a_million_scores_most_of_them_distinct(attention):
    scores = present(attention)
    assert scores.size >= 1_050_000
    assert np.unique(scores).size > scores.size // 2


def test_attention_has_rows_of_every_length_equally_often(attention):
    lengths = (~np.isnan(attention)).sum(axis=1)
    maps = len(attention) // CONTEXT
    assert np.array_equal(lengths, np.tile(np.arange(1, CONTEXT + 1), maps))
    assert present(attention).size == maps * CAUSAL_SCORES_PER_MAP


def test_attention_pads_rows_only_at_their_end(attention):
    padded = np.isnan(attention)
    assert (padded[:, 1:] >= padded[:, :-1]).all()


@pytest.mark.parametrize("pair", [("query", "key"), ("value", "grad_output")])
def test_every_partial_sum_fits_float64(vectors, pair):
    # Whole numbers whose largest possible sum is below 2^53 add without any rounding.
    left, right = (vectors[name] for name in pair)
    assert np.array_equal(left, np.rint(left))
    assert np.array_equal(right, np.rint(right))
    assert HEAD_WIDTH * np.abs(left).max() * np.abs(right).max() < 2.0**FLOAT64_BITS


def test_scores_equal_whole_number_arithmetic(attention, vectors):
    query, key = (vectors[name].astype(np.int64) for name in ("query", "key"))
    exact = np.ldexp((query @ key.transpose(0, 2, 1)).astype(np.float64), -2 * GRID_BITS - 2)
    assert np.array_equal(present(attention), causal(exact))


def test_scores_do_not_depend_on_the_order_of_addition(attention, vectors):
    query, key = (np.ldexp(vectors[name][:4], -GRID_BITS) for name in ("query", "key"))
    expected = present(attention[: 4 * CONTEXT])
    for seed in range(3):
        scores = np.zeros((4, CONTEXT, CONTEXT))
        for place in np.random.default_rng(seed).permutation(HEAD_WIDTH):
            scores += query[:, :, None, place] * key[:, None, :, place]
        assert np.array_equal(expected, causal(scores / 4))


def test_upstream_gradients_belong_to_the_first_attention_rows(attention):
    scores, gradient = recordings.upstream_gradients()
    assert len(gradient) >= 16 * CONTEXT
    assert np.array_equal(scores, attention[: len(scores)], equal_nan=True)
    assert np.array_equal(np.isnan(scores), np.isnan(gradient))
    assert np.isfinite(present(gradient)).all()


def test_upstream_gradients_equal_whole_number_arithmetic(vectors):
    _, gradient = recordings.upstream_gradients()
    value, grad_output = (vectors[name].astype(np.int64) for name in ("value", "grad_output"))
    with np.load(recordings.RECORDINGS_FILE) as stored:
        exponent = int(stored["attention_grad_exponent"])
    whole = (grad_output @ value.transpose(0, 2, 1)).astype(np.float64)
    exact = np.ldexp(whole, -2 * GRID_BITS - exponent)
    assert np.array_equal(present(gradient), causal(exact))


def test_corpus_words_are_numbered_by_frequency_then_alphabet():
    corpus = recordings.corpus()
    counts = np.bincount(corpus.tokens, minlength=len(corpus.words))
    order = sorted(zip(-counts, corpus.words, strict=True))
    assert [word for _, word in order] == list(corpus.words)
    assert len(set(corpus.words)) == len(corpus.words)


def test_corpus_is_a_text_with_a_large_vocabulary():
    corpus = recordings.corpus()
    assert corpus.tokens.dtype == np.uint16
    assert corpus.tokens.max() == len(corpus.words) - 1
    assert len(corpus.words) > 8_000
    assert len(corpus.tokens) > 400_000
    assert {"<unk>", "<line>", "<end>", "the"} <= set(corpus.words[:64])
