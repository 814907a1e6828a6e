"""Errors of gradients and losses, against formulas written out one row at a time."""

from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest

from softmaxfx.golden import UQ, backward_bound_ulp, bound_ulp, loss_bound, preset
from softmaxfx.golden.measures.backward_metrics import gradients
from softmaxfx.golden.measures.exact import exact_cross_entropy
from softmaxfx.golden.measures.loss_metrics import cross_entropies
from softmaxfx.golden.measures.ragged import Ragged
from softmaxfx.golden.rows import LogitRows
from softmaxfx.golden.units.cross_entropy import cross_entropy_rows
from softmaxfx.golden.units.softmax import softmax_rows
from softmaxfx.golden.units.softmax_backward import backward_rows

from .measured import measure_backward, measure_loss

CONFIG = preset("tiny", max_length=8)


def some_logits(seed: int, count: int = 200) -> LogitRows:
    rng = np.random.default_rng(seed)
    array = rng.normal(0, 5, (count, 8))
    array[rng.random(array.shape) < 0.1] = -np.inf
    array[np.arange(8) >= rng.integers(1, 9, (count, 1))] = np.nan
    return LogitRows.from_array(array)


def some_gradients(config, seed=0):
    rows = some_logits(seed)
    dp = np.random.default_rng(seed).normal(0, 0.4, rows.values.shape)
    forward = softmax_rows(rows.codes(config), config, ~rows.active)
    p, codes = forward.p, np.where(rows.present, config.grad_input.quantize(dp), 0)
    return rows, dp, p, codes, forward.clipped


def test_the_backward_error_is_that_of_exact_fractions():
    rows, values, p, dp, clipped = some_gradients(CONFIG)
    result = backward_rows(p, dp, CONFIG, clipped)
    flat = gradients(result, p, dp, clipped, rows, values, CONFIG).errors
    errors = Ragged(rows).padded(flat)
    for row in range(50):
        d = sum(Fraction(int(a) * int(b), 1 << 31) for a, b in zip(p[row], dp[row], strict=True))
        for place in range(8):
            apart = Fraction(int(dp[row, place]), 1 << 15) - d
            exact = Fraction(int(p[row, place]), 1 << 16) * apart
            exact = 0 if clipped[row, place] else exact * (1 << 15)
            off = float(result.ds[row, place] - exact)
            assert errors[row, place] == pytest.approx(off, abs=1e-9)


def test_a_wrong_gradient_shows_in_the_metrics():
    rows, values, p, dp, clipped = some_gradients(CONFIG)
    result = backward_rows(p, dp, CONFIG, clipped)
    right = measure_backward(result, p, dp, clipped, rows, values, CONFIG)
    assert 0.4 < right.max_error_ulp <= backward_bound_ulp(CONFIG)
    assert right.max_error_unclipped < 1
    assert 0 < right.clip_rate < 0.2
    assert 0 < right.zero_share < 1
    row, place = np.argwhere(rows.active)[7]
    result.ds[row, place] += 3
    wrong = measure_backward(result, p, dp, clipped, rows, values, CONFIG)
    assert wrong.max_error_ulp > 2 > backward_bound_ulp(CONFIG)


def test_a_row_whose_d_saturates_has_no_error():
    p = np.full((2, 8), CONFIG.output.max_code)
    dp = np.stack([np.full(8, -(1 << 15)), np.zeros(8, np.int64)])
    clipped = np.zeros(p.shape, bool)
    result = backward_rows(p, dp, CONFIG, clipped)
    assert result.saturated.all(axis=1).tolist() == [True, False]
    result.ds[:] += 5
    rows = LogitRows.from_array(np.zeros(p.shape))
    errors = gradients(result, p, dp, clipped, rows, np.zeros(p.shape), CONFIG).errors
    errors = errors.reshape(p.shape)
    assert not errors[0].any()
    assert (errors[1] == 5).all()


def test_the_exact_cross_entropy_of_known_rows():
    values = np.array([[0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 5.0, 0.0]])
    active = np.array([[True] * 4, [True, True, False, False]])
    loss, gradient = exact_cross_entropy(values, active, np.array([2, 1]))
    np.testing.assert_allclose(loss, [np.log(4), np.log(1 + np.exp(3))])
    np.testing.assert_allclose(gradient[0], [0.25, 0.25, -0.75, 0.25])
    p = 1 / (1 + np.exp(-3))
    np.testing.assert_allclose(gradient[1], [p, -p, 0, 0])


@pytest.mark.parametrize("clip_gradient", ["zero", "pass"])
@pytest.mark.parametrize("datapath", ["max_subtract", "exact_sum"])
def test_losses_and_gradients_are_within_their_bounds(datapath, clip_gradient):
    config = CONFIG.replace(datapath=datapath, clip_gradient=clip_gradient)
    rows = some_logits(3, 500)
    targets = np.random.default_rng(4).integers(0, 10, 500)
    result = cross_entropy_rows(rows.codes(config), rows.active, rows.lengths, targets, config)
    metrics = measure_loss(result, rows, targets, config)
    assert 0.3 < metrics.max_error_ulp <= bound_ulp(config)
    assert 0.3 < metrics.loss_max_error_ulp <= metrics.loss_bound_ulp == loss_bound(config).ulp
    assert metrics.loss_bound_kept
    assert metrics.ignored_rows == (targets >= rows.lengths).sum() > 0
    assert metrics.masked_targets == result.error.sum() > 0
    given = ~(result.ignored | result.error)
    assert metrics.mean_loss == config.loss.to_float(result.loss[given]).mean()
    assert metrics.loss_max_error_unclipped > metrics.loss_max_error_ulp * config.loss.lsb


def test_a_wrong_loss_shows_and_a_row_without_one_does_not():
    rows, targets = LogitRows.from_array(np.zeros((2, 8))), np.array([3, 8])
    codes = rows.codes(CONFIG)
    right = cross_entropy_rows(codes, rows.active, rows.lengths, targets, CONFIG)
    wrong = replace(right, loss=right.loss + 9, grad=right.grad + 4)
    given = cross_entropies(wrong, rows, targets, CONFIG)
    (of_loss,) = given.loss_errors(CONFIG)
    assert abs(of_loss - 9) < 1
    of_gradient = given.errors(CONFIG)
    assert of_gradient.shape == (8,)
    np.testing.assert_allclose(of_gradient, 4)


def test_a_loss_format_that_is_coarse_is_compared_in_its_own_lsb():
    config = CONFIG.replace(loss=UQ(5, 3))
    rows = some_logits(5)
    targets = np.zeros(200, np.int64)
    result = cross_entropy_rows(rows.codes(config), rows.active, rows.lengths, targets, config)
    assert measure_loss(result, rows, targets, config).loss_max_error_ulp < 1


def test_rows_without_a_loss_have_no_figures_of_one():
    """Targets outside, and one that is masked: a mean loss of 0 would read as perfect."""
    rows, target = LogitRows.from_array([[1.0, 2.0], [1.0, -np.inf]]), np.array([2, 1])
    result = cross_entropy_rows(rows.codes(CONFIG), rows.active, rows.lengths, target, CONFIG)
    metrics = measure_loss(result, rows, target, CONFIG)
    for name in ("max_error_ulp", "max_error_unclipped", "loss_max_error_ulp",
                 "loss_max_error_unclipped", "mean_loss"):  # fmt: skip
        assert getattr(metrics, name) is None
    assert (metrics.ignored_rows, metrics.masked_targets) == (1, 1)
    assert metrics.loss_bound_kept
    assert (metrics.clip_rate, metrics.zero_share) == (0, 1)


@pytest.mark.parametrize(
    ("array", "dp", "none"),
    [
        (np.full((1, 4), -np.inf), 1.0, {"max_error_ulp", "max_error_unclipped", "clip_rate",
                                         "saturated_share", "zero_share"}),
        (np.zeros((1, 6)), -1.0, {"max_error_ulp"}),
    ],
    ids=["all masked", "D saturates"],
)  # fmt: skip
def test_gradients_that_are_not_have_no_figures(array, dp, none):
    config, rows = preset("base", max_length=8), LogitRows.from_array(array)
    forward = softmax_rows(rows.codes(config), config, ~rows.active)
    values = np.where(rows.active, dp, 0.0)
    codes = config.grad_input.quantize(values)
    result = backward_rows(forward.p, codes, config, forward.clipped)
    metrics = measure_backward(result, forward.p, codes, forward.clipped, rows, values, config)
    assert {name for name, value in asdict(metrics).items() if value is None} == none
