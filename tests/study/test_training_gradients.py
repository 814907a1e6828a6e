"""The gradients recorded in training belong to their scores and can be computed with exactly."""

import numpy as np
import pytest

from softmaxfx.study import recordings
from softmaxfx.study.recordings import training_gradients, training_steps

LAYERS = 4
CONTEXT = 256
HEAD_WIDTH = 16
GRID_BITS = 12
CAUSAL = np.tile(np.tri(CONTEXT, dtype=bool), (LAYERS, 1))


def stored(step: int, name: str) -> np.ndarray:
    """One kind of stored vector of one step, shape (layers, 256, 16), as float64."""
    with np.load(recordings.GRADIENTS_FILE) as file:
        return file[f"attention_{name}"][training_steps().index(step)].astype(np.float64)


def exponent(step: int) -> int:
    return int(stored(step, "grad_exponent"))


def softmax(scores: np.ndarray) -> np.ndarray:
    """The float64 softmax of rows that end in NaN, 0 behind their end."""
    weights = np.where(CAUSAL, np.exp(scores - np.nanmax(scores, axis=1, keepdims=True)), 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def softmax_gradient(scores: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """dS = P * (dP - sum(P * dP)), 0 behind the end of a row."""
    p, dp = softmax(scores), np.where(CAUSAL, gradient, 0.0)
    return p * (dp - (p * dp).sum(axis=1, keepdims=True))


def test_steps_reach_from_the_untrained_model_to_the_last_update():
    steps = training_steps()
    assert steps[0] == 0
    assert steps[-1] > 1000
    assert list(steps) == sorted(set(steps))


def test_recordings_of_softmax_inputs_are_the_same_as_before():
    assert recordings.names() == ("digits", "attention")


def test_unknown_step_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match=r"^step must be one of 0, 50, 300, 1199, but is 7$"):
        training_gradients(7)


@pytest.mark.parametrize("step", training_steps())
def test_scores_and_gradients_are_finite_up_to_the_same_end_of_row(step):
    for rows in training_gradients(step):
        assert rows.shape == (LAYERS * CONTEXT, CONTEXT)
        assert rows.dtype == np.float64
        assert np.array_equal(np.isfinite(rows), CAUSAL)
        assert np.array_equal(np.isnan(rows), ~CAUSAL)


@pytest.mark.parametrize("step", training_steps())
@pytest.mark.parametrize("pair", [("query", "key"), ("value", "grad_output")])
def test_every_partial_sum_fits_float64(step, pair):
    left, right = (np.ldexp(stored(step, name), GRID_BITS) for name in pair)
    assert np.array_equal(left, np.rint(left))
    assert np.array_equal(right, np.rint(right))
    assert HEAD_WIDTH * np.abs(left).max() * np.abs(right).max() < 2.0**53


@pytest.mark.parametrize("step", training_steps())
def test_gradients_equal_whole_number_arithmetic(step):
    _, gradient = training_gradients(step)
    value, grad_output = (
        np.ldexp(stored(step, name), GRID_BITS).astype(np.int64)
        for name in ("value", "grad_output")
    )
    whole = (grad_output @ value.transpose(0, 2, 1)).astype(np.float64)
    exact = np.ldexp(whole, -2 * GRID_BITS - exponent(step)).reshape(-1, CONTEXT)
    assert np.array_equal(gradient[CAUSAL], exact[CAUSAL])


@pytest.mark.parametrize("step", training_steps())
def test_gradients_belong_to_the_rows_of_their_scores(step):
    # sum(P * dP) is also the dot product of the attention output and its gradient: a second way
    # to it that agrees only if every dP stands beside the score of the same query and key.
    scores, gradient = training_gradients(step)
    p = softmax(scores)
    mean = (p * np.where(CAUSAL, gradient, 0.0)).sum(axis=1)
    mixed = p.reshape(LAYERS, CONTEXT, CONTEXT) @ stored(step, "value")
    other = np.ldexp((mixed * stored(step, "grad_output")).sum(axis=2).ravel(), -exponent(step))
    np.testing.assert_allclose(mean, other, rtol=0, atol=1e-12 * np.nanmax(np.abs(gradient)))


@pytest.mark.parametrize("step", training_steps())
def test_gradients_of_the_scores_add_up_to_zero_in_every_row(step):
    scores, gradient = training_gradients(step)
    sums = softmax_gradient(scores, gradient).sum(axis=1)
    np.testing.assert_allclose(sums, 0.0, rtol=0, atol=1e-12 * np.nanmax(np.abs(gradient)))


@pytest.mark.parametrize("step", training_steps())
def test_gradients_of_the_scores_are_those_of_torch(step):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    scores, gradient = training_gradients(step)
    inputs = torch.tensor(np.where(CAUSAL, scores, -np.inf), requires_grad=True)
    torch.softmax(inputs, dim=1).backward(torch.tensor(np.where(CAUSAL, gradient, 0.0)))
    assert inputs.grad is not None
    np.testing.assert_allclose(
        softmax_gradient(scores, gradient),
        inputs.grad.numpy(),
        rtol=0,
        atol=1e-12 * np.nanmax(np.abs(gradient)),
    )


def test_no_gradient_fits_one_exponent_alone():
    # Training moves the gradients by powers of two: the formats stay, the caller's exponent moves.
    largest = [np.nanmax(np.abs(training_gradients(step)[1])) for step in training_steps()]
    assert max(largest) > 4 * min(largest)
