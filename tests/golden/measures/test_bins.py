"""Bins that are the same for all data: every number is in its own, and percentiles are near."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmaxfx.golden.measures import bins

NUMBERS = st.lists(st.floats(width=32, min_value=-16000, max_value=16000), min_size=1, max_size=50)


@given(NUMBERS)
def test_a_number_is_between_the_edges_of_its_bin(numbers):
    x = np.array(numbers, np.float32)
    place = bins.bin_of(x)
    assert (bins.EDGES[place] <= x).all()
    assert (x <= bins.EDGES[place + 1]).all()


@given(NUMBERS)
def test_larger_numbers_are_in_no_lower_bin(numbers):
    place = bins.bin_of(np.sort(np.array(numbers, np.float32)))
    assert (np.diff(place) >= 0).all()


def test_what_is_beyond_is_in_the_last_bins_and_what_is_small_around_0():
    x = np.array([-np.inf, -3e38, 3e38, np.inf, 0.0, -0.0, 1e-3, -1e-30], np.float32)
    last = bins.COUNT - 1
    np.testing.assert_array_equal(bins.bin_of(x), [0, 0, last, last] + 4 * [bins.SIDE])


def test_bins_are_a_sixteenth_of_their_octave():
    assert bins.EDGES[bins.bin_of(np.array([32.0], np.float32)) + 1][0] == 34.0
    assert np.diff(bins.EDGES).min() > 0
    assert bins.COUNT == len(bins.EDGES) - 1 == 705


def test_counts_are_of_each_group():
    x = np.array([[1, 1, 2], [2, 2, 2]], np.float32)
    counts = bins.counted(bins.bin_of(x), 2)
    assert counts.shape == (2, bins.COUNT)
    one, two = bins.bin_of(np.array([1, 2], np.float32))
    assert counts[:, one].tolist() == [2, 0]
    assert counts[:, two].tolist() == [1, 3]
    assert counts.sum() == 6


@pytest.mark.parametrize("scale", [0.5, 3.0, 40.0])
def test_percentiles_are_those_of_the_numbers_within_a_bin(scale):
    x = np.random.default_rng(1).normal(0, scale, 20000).astype(np.float32)
    shares = np.array([0, 0.01, 0.25, 0.5, 0.9, 0.99, 1])
    found = bins.percentiles(bins.counted(bins.bin_of(x)[None], 1)[0], shares, x.min(), x.max())
    exact = np.quantile(x, shares)
    width = np.maximum(np.abs(exact) / 16, 2.0**-7)
    assert (np.abs(found - exact) <= width).all()
    assert found[0] == x.min()
    assert found[-1] == x.max()
