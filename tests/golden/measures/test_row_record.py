"""What is recorded of rows, against the same counted one row after another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from softmaxfx.golden.measures import bins
from softmaxfx.golden.measures.row_figures import PERCENTS, RowFigures
from softmaxfx.golden.measures.row_record import FRACTIONS, RANGES, WITHIN, RowRecord

LOGITS = arrays(
    np.float32, st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 6)),
    elements=st.one_of(
        st.floats(-200, 200, width=32), st.just(-np.inf), st.just(np.nan), st.just(np.inf),
        st.sampled_from([10.0, -10.0, 128.0, 8.0]),
    ),
)  # fmt: skip


def ends(x):
    """What :meth:`RowRecord.add_rows` takes."""
    active = x > -np.inf
    with np.errstate(invalid="ignore"):
        return x.max(axis=2), np.where(active, x, np.inf).min(axis=2), active.sum(axis=2)


def recorded(x):
    record = RowRecord.empty_of(len(x))
    record.add_rows(*ends(x))
    record.add_drawn(x)
    return record


def plain(rows):
    """Elements of every row that takes part, as lists of floats."""
    whole = [row for row in rows if not (np.isnan(row) | (row == np.inf)).any()]
    return [row[row > -np.inf].astype(float) for row in whole if (row > -np.inf).any()]


def assert_share(found, count, of):
    assert found == (count / of if of else None)


@settings(max_examples=200)
@given(LOGITS)
def test_every_figure_is_that_of_the_rows(x):
    figures = RowFigures.of(recorded(x))
    flat = x.reshape(-1, x.shape[2])
    rows = plain(flat)
    everything = np.concatenate([*rows, np.zeros(0)])
    odd = (np.isnan(flat) | (flat == np.inf)).any(axis=1)
    assert figures.rows == figures.drawn_rows == len(rows)
    assert figures.elements == figures.drawn_elements == everything.size
    assert figures.invalid == odd.sum()
    assert figures.empty == len(flat) - odd.sum() - len(rows)
    tops = [row.max() for row in rows]
    for limit in WITHIN:
        count = sum(np.abs(row).max() <= limit for row in rows)
        assert_share(figures.within[f"{limit:g}"], count, len(rows))
    for limit in RANGES:
        count = sum(abs(top) > limit for top in tops)
        assert_share(figures.beyond[f"{limit:g}"], count, len(rows))
    if rows:
        assert (figures.logit.low, figures.logit.high) == (everything.min(), everything.max())
        assert (figures.top.low, figures.top.high) == (min(tops), max(tops))
        spreads = [np.float32(row.max()) - np.float32(row.min()) for row in rows]
        assert (figures.spread.low, figures.spread.high) == (min(spreads), max(spreads))
        np.testing.assert_allclose(figures.mean, everything.mean(), atol=1e-4)
        np.testing.assert_allclose(figures.sd, everything.std(), atol=1e-2)


@given(LOGITS)
def test_gaps_and_small_probabilities_are_those_of_the_rows(x):
    record = recorded(x).merged()
    rows = plain(x.reshape(-1, x.shape[2]))
    pairs = [np.sort(row)[-2:] for row in rows if len(row) > 1]
    assert record.pairs[0] == len(pairs) == record.gap.sum()
    gaps = np.array([np.float32(high) - np.float32(low) for low, high in pairs], np.float32)
    expected = bins.counted(bins.bin_of(gaps)[None], 1)[0] if len(gaps) else 0 * record.gap[0]
    np.testing.assert_array_equal(record.gap[0], expected)
    least, most = (min(gaps), max(gaps)) if len(gaps) else (np.inf, -np.inf)
    assert (record.gap_low[0], record.gap_high[0]) == (least, most)
    for place, fraction in enumerate(FRACTIONS):
        p = [np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in rows]
        near = sum((np.abs(one * 2.0**fraction - 1) < 1e-4).sum() for one in p)
        below = sum((one < 2.0**-fraction).sum() for one in p)
        assert abs(record.below[0, place] - below) <= near


@given(LOGITS)
def test_histograms_count_what_takes_part_alone(x):
    record, rows = recorded(x), plain(x.reshape(-1, x.shape[2]))
    everything = np.concatenate([*rows, np.zeros(0)]).astype(np.float32)
    for counts, values in (
        (record.element, everything),
        (record.top, np.array([row.max() for row in rows], np.float32)),
    ):
        expected = bins.counted(bins.bin_of(values)[None], 1)[0]
        np.testing.assert_array_equal(counts.sum(axis=0), expected)


@given(LOGITS, st.integers(0, 5))
def test_parts_add_up_to_the_whole(x, cut):
    first, second, whole = recorded(x[:, :cut]), recorded(x[:, cut:]), recorded(x)
    for name, value in vars(first.joined(second)).items():
        if name in ("total", "square"):
            np.testing.assert_allclose(value, getattr(whole, name), rtol=1e-6)
        else:
            np.testing.assert_array_equal(value, getattr(whole, name), err_msg=name)


@given(LOGITS)
def test_groups_are_told_apart(x):
    record = recorded(x)
    for group in range(len(x)):
        one, alone = record.of_group(group), recorded(x[[group]])
        for name, value in vars(one).items():
            np.testing.assert_array_equal(value, getattr(alone, name), err_msg=name)


def test_of_nothing_nothing_is_said():
    figures = RowFigures.of(RowRecord.empty_of(2))
    assert figures.rows == 0
    assert figures.mean is figures.logit.low is figures.within["10"] is figures.below["8"] is None
    assert figures.logit.at(50) is None


def test_percentiles_are_told_by_their_names():
    x = np.linspace(-20, 20, 4001, dtype=np.float32).reshape(1, 1, -1)
    figures = RowFigures.of(recorded(x))
    assert list(figures.to_dict()["logit"]["percentiles"]) == [str(each) for each in PERCENTS]
    assert figures.logit.at(75) == pytest.approx(10, abs=0.5)


def test_a_winner_at_the_range_does_not_saturate():
    x = np.array([[[8.0, 0.0], [8.5, 0.0], [-8.5, -9.0]]], np.float32)
    assert RowFigures.of(recorded(x)).beyond["8"] == 2 / 3
