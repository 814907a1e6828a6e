"""Rows of different lengths: what is told of them together is what each shows alone."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmaxfx.golden import SQ, UQ, preset
from softmaxfx.golden.measures.metrics import Agreement, Metrics, measure, probabilities
from softmaxfx.golden.measures.ragged import Ragged
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.cross_entropy import cross_entropy_rows
from softmaxfx.golden.units.softmax import softmax_rows
from softmaxfx.golden.units.softmax_backward import backward_rows

from .measured import measure_backward, measure_loss

WIDTH = 24
CONFIGS = {
    "tiny": preset("tiny", max_length=WIDTH),
    "int8": preset("int8", max_length=WIDTH),
    "difference": preset("tiny", max_length=WIDTH, clip="difference", input=SQ(7, 9), range=4.0),
    "exact sum": preset("tiny", max_length=WIDTH, datapath="exact_sum", scale=0.5),
}
each_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
seeds = given(st.integers(0, 2**32 - 1))
few = settings(max_examples=12, deadline=None)


def some_rows(seed, count=7):
    """Rows of all lengths and spreads, some elements masked, one of each row active."""
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 1, (count, WIDTH)) * rng.choice([0.1, 3.0, 12.0], (count, 1))
    array[rng.random(array.shape) < 0.2] = -np.inf
    array[:, 0] = rng.normal(0, 5, count)
    array[np.arange(WIDTH) >= rng.integers(1, WIDTH + 1, count)[:, None]] = np.nan
    return LogitRows.from_array(array)


def alone(rows):
    return [rows.take(np.array([row])) for row in range(len(rows.lengths))]


def mean(values, weights):
    known = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
    return sum(v * w for v, w in known) / sum(w for _, w in known) if known else None


def best(pick, values):
    return pick((value for value in values if value is not None), default=None)


LARGEST = {"max_error_ulp", "max_error_unclipped", "loss_max_error_ulp",
           "loss_max_error_unclipped", "loss_bound_ulp", "mass_error"}  # fmt: skip
OF_ELEMENTS = {"clip_rate", "zero_share", "saturated_share", "mean_error_unclipped", "bias",
               "bias_ulp"}  # fmt: skip
COUNTS = {"ignored_rows", "masked_targets"}


def assert_together(whole, parts, rows):
    """Figures of all rows are the largest, the least, the sum, or the mean of those of each."""
    elements = rows.active.sum(axis=1)
    for name, value in asdict(whole).items():
        values = [getattr(part, name) for part in parts]
        if name in LARGEST:
            expected = best(max, values)
        elif name in COUNTS:
            expected = sum(values)
        elif name == "sum_min":
            expected = best(min, values)
        else:
            weights = elements if name in OF_ELEMENTS else np.ones(len(values))
            expected = mean(values, weights)
        close = None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert value == close, name


@each_config
@few
@seeds
def test_probabilities_of_rows_are_measured_as_each_alone(config, seed):
    rows = some_rows(seed)

    def metrics(part):
        result = softmax_rows(part.codes(config), config, ~part.active)
        return measure(result, part, config)

    assert_together(metrics(rows), [metrics(part) for part in alone(rows)], rows)


@each_config
@few
@seeds
def test_agreement_of_rows_is_measured_as_of_each_alone(config, seed):
    rows = some_rows(seed)

    def agreement(part):
        result = softmax_rows(part.codes(config), config, ~part.active)
        p = probabilities(result, part, config)
        largest = p.layout.is_largest(p.layout.flat(part.values))
        agreed = Agreement.of(p, largest)
        return Agreement(agreed.mean_error_unclipped, agreed.top1, 0.0, 0.0)

    assert_together(agreement(rows), [agreement(part) for part in alone(rows)], rows)


@each_config
@few
@seeds
def test_gradients_of_rows_are_measured_as_each_alone(config, seed):
    rows = some_rows(seed)
    rng = np.random.default_rng(seed)
    dp = np.where(rows.present, rng.normal(0, 0.6, rows.values.shape), 0)

    def metrics(part, upstream):
        forward = softmax_rows(part.codes(config), config, ~part.active)
        codes = config.grad_input.quantize(upstream)
        result = backward_rows(forward.p, codes, config, forward.clipped)
        return measure_backward(result, forward.p, codes, forward.clipped, part, upstream, config)

    parts = [
        metrics(part, dp[row : row + 1, : part.values.shape[1]])
        for row, part in enumerate(alone(rows))
    ]
    assert_together(metrics(rows, dp), parts, rows)


@each_config
@few
@seeds
def test_losses_of_rows_are_measured_as_each_alone(config, seed):
    rows = some_rows(seed)
    config = config.replace(loss=UQ(6, 10))
    targets = np.random.default_rng(seed).integers(-1, WIDTH, len(rows.lengths))

    def metrics(part, target):
        codes = part.codes(config)
        result = cross_entropy_rows(codes, part.active, part.lengths, target, config)
        return measure_loss(result, part, target, config)

    parts = [metrics(part, targets[row : row + 1]) for row, part in enumerate(alone(rows))]
    assert_together(metrics(rows, targets), parts, rows)


@few
@seeds
def test_the_layout_equals_plain_loops(seed):
    rows = some_rows(seed)
    rows.active[2] = False
    layout, rng = Ragged(rows), np.random.default_rng(seed)
    codes = np.where(rows.active, rng.integers(-9, 9, rows.values.shape), 0)
    flat = layout.flat(codes)
    assert layout.size == rows.active.sum() == flat.size
    np.testing.assert_array_equal(layout.padded(flat), codes)
    for row in range(len(codes)):
        own = codes[row][rows.active[row]]
        np.testing.assert_array_equal(flat[layout.row == row], own)
        assert layout.sums(flat)[row] == own.sum()
        assert layout.real_sums(flat / 7)[row] == (codes[row] / 7).sum()
        assert layout.largest(flat)[row] == max(own, default=0)
        largest = layout.is_largest(flat)[layout.row == row]
        assert largest.tolist() == [code == max(own) for code in own]
        assert (row in layout.filled) == (own.size > 0)
    np.testing.assert_array_equal(layout.find(*np.nonzero(rows.active)), np.arange(layout.size))


def test_no_active_element_is_no_figure():
    rows = LogitRows.from_array(np.full((3, 4), -np.inf))
    layout = Ragged(rows)
    nothing = np.zeros(0)
    assert layout.sums(np.zeros(0, np.int64)).tolist() == [0, 0, 0]
    assert layout.real_sums(nothing).tolist() == layout.largest(nothing).tolist() == [0, 0, 0]
    config = CONFIGS["tiny"]
    p = probabilities(softmax_rows(rows.codes(config), config, ~rows.active), rows, config)
    assert Metrics.of(p) == Metrics()
    assert Agreement.of(p, np.zeros(0, bool)) == Agreement()
