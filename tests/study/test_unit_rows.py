"""Every unit's rows: what is recorded for it, and what a user's arrays become."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.rows import LogitRows
from softmaxfx.study import recordings
from softmaxfx.study.unit_rows import UNITS

BASE = preset("base")
LOGITS = LogitRows.from_array([[1.0, 2.0, 3.0], [0.5, np.nan, np.nan]])


def test_every_recorded_row_of_logits_is_there():
    rows, note = UNITS["softmax"].recorded(BASE)
    names = (*recordings.names(), *recordings.networks())
    count = sum(len(recordings.load(name)) for name in names)
    assert (len(rows.lengths), note) == (count, "")


def test_recorded_gradients_fill_their_format_and_the_user_is_told():
    rows, note = UNITS["softmax_backward"].recorded(BASE)
    fmt = BASE.grad_input
    largest = fmt.max_code * fmt.lsb
    for part in np.split(rows.dp, np.cumsum(_recorded_counts())[:-1]):
        assert largest / 2 < np.abs(part).max() <= largest
    assert note.startswith("the recorded dP are scaled by 2^")
    assert note.endswith(f"to fit {fmt}")
    assert note.count("2^") == len(_recorded_counts())


def _recorded_counts() -> list[int]:
    """Rows of every recording that has gradients."""
    steps = [recordings.training_gradients(step) for step in recordings.training_steps()]
    return [len(dp) for _, dp in (recordings.upstream_gradients(), *steps)]


def test_recorded_classes_are_elements_of_their_rows():
    rows, note = UNITS["cross_entropy"].recorded(BASE)
    assert note == ""
    assert (rows.targets < rows.lengths).all()
    classes = recordings.digits_targets()
    np.testing.assert_array_equal(rows.targets[: len(classes)], classes)
    outputs = [recordings.network_targets(name) for name in recordings.networks()]
    known = np.concatenate(outputs)
    np.testing.assert_array_equal(rows.targets[-len(known) :], known)
    assert (rows.targets[: -len(known)] >= 0).all()
    assert (known >= -1).all()


def test_a_user_s_gradients_stand_beside_their_rows():
    given = np.array([[1.0, -2.0, 3.0], [4.0, np.nan, 7.0]])
    rows = UNITS["softmax_backward"].joined(LOGITS, given, BASE)
    assert rows.logits is LOGITS
    assert rows.dp.tolist() == [[1.0, -2.0, 3.0], [4.0, 0.0, 0.0]]


def test_a_user_s_classes_stand_beside_their_rows():
    rows = UNITS["cross_entropy"].joined(LOGITS, np.array([2, -7]), BASE)
    assert rows.logits is LOGITS
    assert rows.targets.tolist() == [2, -1]


TAILS = preset("tiny", vocabulary=5, cutoffs=(2,))
"""A head of three elements, and a tail of three words."""
ROWS = LogitRows.from_array(np.arange(9.0).reshape(3, 3))


def test_a_user_s_words_stand_beside_the_rows_that_they_ask_for():
    rows = UNITS["adaptive_softmax"].joined(ROWS, np.array([1, -7, 4, 5]), TAILS)
    assert rows.logits is ROWS
    assert rows.words.tolist() == [1, -1, 4, 5]
    assert rows.counts.tolist() == [1, 0, 2, 0]
    assert rows.lengths.tolist() == [3, 0, 3, 0]
    assert rows.targets(TAILS).tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([1, 1], "logits must be the 2 rows that the words ask for, not 3"),
        ([1, 2**32], r"words must be below 0, for none, or from 0 to 4294967295, not 4294967296"),
        ([0.5], r"words must be whole numbers, one a token, not float64 of \(1,\)"),
    ],
)
def test_words_without_their_rows_are_refused(words, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}"):
        UNITS["adaptive_softmax"].joined(ROWS, np.array(words), TAILS)


def test_a_row_that_is_not_as_long_as_its_cluster_s_is_refused():
    sentence = "^logits must have 4 elements in row 2, of cluster 1, not 3"
    with pytest.raises(ValueError, match=sentence):
        UNITS["adaptive_softmax"].joined(ROWS, np.array([1, 5]), TAILS.replace(vocabulary=6))


@pytest.mark.parametrize("prediction", ["none", "greedy"])
def test_the_recorded_tokens_are_the_first_words_of_the_corpus(prediction):
    config = TAILS.replace(vocabulary=90, cutoffs=(20, 50), prediction=prediction)
    rows, note = UNITS["adaptive_softmax"].recorded(config)
    assert note == ""
    words = recordings.corpus().tokens[: len(rows.words)]
    np.testing.assert_array_equal(rows.words, words)
    assert rows.predict.any() == (prediction == "greedy")
    told = (words < 90).astype(int) + ((words >= 20) & (words < 90))
    np.testing.assert_array_equal(rows.counts[~rows.predict], told[~rows.predict])
    assert set(rows.logits.lengths) == {22, 30, 40}


@pytest.mark.parametrize("unit", [unit for unit in UNITS if UNITS[unit].file])
def test_an_array_of_another_shape_is_refused(unit):
    with pytest.raises(ValueError, match=rf"^{UNITS[unit].file} must be"):
        UNITS[unit].joined(LOGITS, np.zeros(7), BASE)
