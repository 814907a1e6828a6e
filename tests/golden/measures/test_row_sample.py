"""Rows that are kept: within bounds, each with the same chance, and whole."""

import numpy as np

from softmaxfx.golden.measures.row_sample import RowSample


def sample(most_rows=10, most_elements=10**6, seed=1):
    return RowSample(most_rows, most_elements, np.random.default_rng(seed))


def test_all_rows_are_kept_as_they_came_where_there_is_room():
    kept = sample()
    kept.add(np.array([[1, 2, -np.inf], [np.nan, 1, 2], [np.inf, 0, 0], [-np.inf] * 3], np.float32))
    kept.add(np.array([[5, 4]], np.float32))
    rows = kept.rows()
    assert len(kept) == 2
    assert rows.lengths.tolist() == [2, 2]
    assert rows.values.tolist() == [[1, 2], [5, 4]]
    assert sample().rows() is None


def test_bounds_are_kept():
    kept = sample(most_elements=40)
    for _ in range(20):
        kept.add(np.zeros((7, 3), np.float32))
        assert len(kept) <= 10
    kept.add(np.zeros((50, 30), np.float32))
    assert kept.rows().elements <= 40
    one = sample(most_elements=3)
    one.add(np.zeros((2, 30), np.float32))
    assert one.rows().lengths.tolist() == [30]


def test_each_row_has_the_same_chance():
    counts = np.zeros(40)
    for seed in range(500):
        kept = sample(seed=seed)
        for start in range(0, 40, 8):
            kept.add(np.arange(start, start + 8, dtype=np.float32)[:, None])
        counts[kept.rows().values[:, 0].astype(int)] += 1
    expected, sd = 500 / 4, np.sqrt(500 * 3 / 16)
    assert np.abs(counts - expected).max() < 5 * sd


def test_the_seed_says_which():
    def rows(seed):
        kept = sample(seed=seed)
        kept.add(np.arange(1000, dtype=np.float32)[:, None])
        return kept.rows().values.tolist()

    assert rows(3) == rows(3) != rows(4)
