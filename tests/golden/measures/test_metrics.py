"""The figures of a run, against plain loops in mpmath."""

from dataclasses import asdict

import mpmath
import numpy as np
import pytest

from softmaxfx.golden import SQ, preset
from softmaxfx.golden.measures.exact import clipped_values, exact_softmax
from softmaxfx.golden.measures.metrics import error_ulp, measure
from softmaxfx.golden.measures.summary import within
from softmaxfx.golden.proofs.bounds import bound_ulp
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.softmax import softmax_rows

CONFIGS = {
    "tiny": preset("tiny", max_length=9),
    "int8": preset("int8", max_length=9),
    "scale": preset("tiny", max_length=9, scale=0.125),
    "difference": preset("tiny", max_length=9, clip="difference", input=SQ(7, 9)),
    "exact sum": preset("tiny", max_length=9, datapath="exact_sum"),
    "exact sum of int8": preset("int8", max_length=9, datapath="exact_sum", range=9.5),
}


def some_rows(seed=0):
    """Rows of all lengths, some elements masked, one row all masked, one with a tie."""
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 6, (30, 9))
    array[rng.random(array.shape) < 0.15] = -np.inf
    array[4] = -np.inf
    array[5] = 1.0
    lengths = rng.integers(1, 10, 30)
    array[np.arange(9) >= lengths[:, None]] = np.nan
    return LogitRows.from_array(array)


def exact(values):
    """Softmax of a list of numbers."""
    terms = [mpmath.exp(mpmath.mpf(value)) for value in values]
    return [term / sum(terms) for term in terms]


def active_elements(rows, row):
    return [int(column) for column in np.flatnonzero(rows.active[row])]


def clipped_row(codes, config):
    """The values of a row's clipped codes."""
    if config.clip == "input":
        kept = [min(max(code, -config.range_code), config.range_code) for code in codes]
    else:
        kept = [max(code, max(codes) - 2 * config.range_code) for code in codes]
    return [code * config.scale / 2**config.input.f for code in kept]


class Loops:
    """Every figure of :class:`Metrics`, element by element."""

    def __init__(self, result, rows, config):
        codes = rows.codes(config)
        self.errors, self.unclipped, self.clips, self.zeros = [], [], [], []
        self.ties, self.sums, self.kl = [], [], []
        lsb = mpmath.mpf(2) ** -config.output.f
        for row in range(len(rows.lengths)):
            columns = active_elements(rows, row)
            p = [int(result.p[row, column]) for column in columns]
            self.sums.append(sum(p) * lsb)
            self.ties.append(bool(p) and p.count(max(p)) > 1)
            self.clips += [bool(result.clipped[row, column]) for column in columns]
            self.zeros += [code == 0 for code in p]
            if not columns:
                self.kl.append(0)
                continue
            ideal = exact(clipped_row([int(codes[row, column]) for column in columns], config))
            largest = min(2**config.output.f, config.output.max_code)
            self.errors += [a - min(b / lsb, largest) for a, b in zip(p, ideal, strict=True)]
            real = exact([rows.values[row, column] * config.scale for column in columns])
            self.unclipped += [abs(a * lsb - b) for a, b in zip(p, real, strict=True)]
            floored = [a * lsb if a else lsb / 2 for a in p]
            share = [value / sum(floored) for value in floored]
            self.kl.append(sum(b * mpmath.log(b / a) for a, b in zip(share, real, strict=True)))


@pytest.mark.parametrize("name", CONFIGS)
def test_every_figure_equals_a_plain_loop(name):
    config, rows = CONFIGS[name], some_rows()
    result = softmax_rows(rows.codes(config), config, ~rows.active)
    metrics = measure(result, rows, config)
    loops = Loops(result, rows, config)

    def mean(values):
        return float(sum(values) / len(values))

    close = {"rel": 1e-9, "abs": 1e-9}
    assert metrics.max_error_ulp == pytest.approx(float(max(map(abs, loops.errors))), **close)
    assert metrics.max_error_unclipped == pytest.approx(float(max(loops.unclipped)), **close)
    assert metrics.clip_rate == pytest.approx(mean(loops.clips))
    assert metrics.tie_rate == pytest.approx(mean(loops.ties))
    assert metrics.zero_share == pytest.approx(mean(loops.zeros))
    assert metrics.sum_min == float(min(loops.sums)) == 0  # the row that is all masked
    assert metrics.sum_mean == pytest.approx(mean(loops.sums))
    assert metrics.mean_kl == pytest.approx(mean(loops.kl), **close)
    assert metrics.max_error_ulp <= bound_ulp(config)
    errors = error_ulp(result.p, rows.codes(config), rows.active, config)[rows.active]
    np.testing.assert_allclose(errors, np.array(loops.errors, float), rtol=0, atol=1e-9)


def test_exact_softmax_needs_no_small_numbers():
    values = np.array([[1000.0, 1000.0, -1000.0], [-1e5, 3.0, 5.0]])
    active = np.array([[True, True, True], [True, False, False]])
    np.testing.assert_array_equal(exact_softmax(values, active), [[0.5, 0.5, 0], [1, 0, 0]])
    np.testing.assert_array_equal(exact_softmax(values, ~active)[0], [0, 0, 0])


def test_a_masked_element_does_not_set_the_span_of_the_difference_clip():
    config = preset("tiny", clip="difference", range=1.0)
    codes, step = np.array([[9000, 0, -9000]]), 2**11
    lowest = clipped_values(codes, np.array([[False, True, True]]), config)[0]
    assert lowest[1:].tolist() == [0, -2]
    assert clipped_values(codes, np.ones((1, 3), bool), config)[0, 2] == 9000 / step - 2


def test_a_probability_of_one_is_compared_with_the_largest_output():
    config = preset("int8", max_length=4)
    codes, active = np.array([[80, -80]]), np.ones((1, 2), bool)
    error = error_ulp(np.array([[255, 0]]), codes, active, config)
    assert error[0, 0] == 0
    assert -1e-5 < error[0, 1] < 0


def test_rows_without_an_active_element_have_no_figures():
    """A figure of nothing is none: 0 would read as perfect."""
    config, rows = preset("tiny"), LogitRows.from_array(np.full((2, 3), -np.inf))
    metrics = measure(softmax_rows(rows.codes(config), config, ~rows.active), rows, config)
    assert set(asdict(metrics).values()) == {None}


@pytest.mark.parametrize(("error", "kept"), [(None, True), (0.5, True), (0.6, False)])
def test_an_error_that_there_is_not_keeps_its_bound(error, kept):
    assert within(error, 0.5) is kept
