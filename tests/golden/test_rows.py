"""Rows of logits: what is read, what is refused, and with which sentence."""

import numpy as np
import pytest

from softmaxfx.golden import preset
from softmaxfx.golden.rows import LogitRows

INF, NAN = np.inf, np.nan


def test_minus_infinity_is_masked_and_trailing_nan_is_a_shorter_row():
    rows = LogitRows.from_array([[1.5, -INF, NAN], [-INF, -INF, -INF], [2, 3, 4]])
    assert rows.lengths.tolist() == [2, 3, 3]
    assert rows.active.tolist() == [[True, False, False], [False] * 3, [True] * 3]
    assert rows.present.tolist() == [[True, True, False], [True] * 3, [True] * 3]
    assert rows.values.tolist() == [[1.5, 0, 0], [0, 0, 0], [2, 3, 4]]
    assert rows.elements == 8


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float16, np.float32, np.float64])
def test_every_real_dtype_is_read(dtype):
    rows = LogitRows.from_array(np.array([[1, 2]], dtype))
    assert rows.values.dtype == np.float64
    assert rows.values.tolist() == [[1, 2]]


def test_the_array_given_is_left_alone():
    array = np.array([[1.0, -INF], [2.0, NAN]])
    kept = array.copy()
    LogitRows.from_array(array)
    np.testing.assert_array_equal(array, kept)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        ([1.0, 2.0], r"2-D array of real numbers, one row a softmax row, not 1-D of float64"),
        (np.zeros((2, 2, 2)), r"must be a 2-D array of real numbers, .* not 3-D of float64"),
        (3.0, r"must be a 2-D array of real numbers, .* not 0-D of float64"),
        ([["a"]], r"must be a 2-D array of real numbers, .* not 2-D of <U1"),
        ([[True]], r"must be a 2-D array of real numbers, .* not 2-D of bool"),
        ([[1j]], r"must be a 2-D array of real numbers, .* not 2-D of complex128"),
        (np.zeros((0, 3)), r"must have at least one element, not shape \(0, 3\)"),
        (np.zeros((3, 0)), r"must have at least one element, not shape \(3, 0\)"),
        ([[1, 2], [NAN, NAN]], r"must not be an empty row \(all NaN\), as at row 1, column 0"),
        ([[1, 2, 3], [1, NAN, 3]], r"must not be NaN before the row's end, as at row 1, column 1"),
        ([[NAN, 2]], r"must not be NaN before the row's end, as at row 0, column 0"),
        ([[1, 2], [3, INF]], r"must not be \+inf, as at row 1, column 1"),
    ],
)
def test_a_refusal_says_what_and_where(array, sentence):
    with pytest.raises(ValueError, match=rf"^logits {sentence}$|^logits .*{sentence}$"):
        LogitRows.from_array(array)


def test_a_taken_row_is_no_wider_than_it_has_to_be():
    rows = LogitRows.from_array([[1, 2, 3], [4, NAN, NAN], [5, -INF, NAN]])
    few = rows.take(slice(1, 3))
    assert few.values.tolist() == [[4, 0], [5, 0]]
    assert few.active.tolist() == [[True, False], [True, False]]
    assert few.lengths.tolist() == [1, 2]
    swapped = rows.take(np.array([2, 0, 2]))
    assert swapped.lengths.tolist() == [2, 3, 2]
    assert swapped.values.tolist() == [[5, 0, 0], [1, 2, 3], [5, 0, 0]]


def test_concatenation_pads_the_narrower_part():
    narrow, wide = LogitRows.from_array([[1]]), LogitRows.from_array([[2, -INF, 3], [4, NAN, NAN]])
    both = LogitRows.concatenate([narrow, wide, narrow])
    assert both.lengths.tolist() == [1, 3, 1, 1]
    assert both.values.tolist() == [[1, 0, 0], [2, 0, 3], [4, 0, 0], [1, 0, 0]]
    assert both.active.astype(int).tolist() == [[1, 0, 0], [1, 0, 1], [1, 0, 0], [1, 0, 0]]
    np.testing.assert_array_equal(both.take(slice(1, 3)).values, wide.values)


def test_codes_are_rounded_half_up_and_saturated():
    config = preset("int8", max_length=5)  # SQ(5, 3)
    rows = LogitRows.from_array([[1.0, 1 / 16, -1 / 16, 1e300, -1e300], [-INF, NAN, NAN, NAN, NAN]])
    assert rows.codes(config).tolist() == [[8, 1, 0, 127, -128], [0] * 5]


def test_a_row_longer_than_the_unit_is_refused():
    rows = LogitRows.from_array([[1, NAN, NAN], [1, 2, 3]])
    with pytest.raises(
        ValueError,
        match=r"^logits must have rows of at most max_length = 2 elements, not 3 \(row 1",
    ):
        rows.codes(preset("tiny", max_length=2))
