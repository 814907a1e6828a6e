"""Watching the training records the gradient at the softmax output and disturbs nothing."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from softmaxfx.study import language_model  # noqa: E402 - needs torch
from softmaxfx.study.language_model import CONTEXT, HEADS, LAYERS, LanguageModel  # noqa: E402
from softmaxfx.study.record_training import RECORDED_STEPS, record_step  # noqa: E402
from softmaxfx.study.train_language import loss_and_heads  # noqa: E402

WORDS = 40
TEXTS = 2


@pytest.fixture
def case():
    """A small untrained model and the windows of one step."""
    torch.manual_seed(3)
    return LanguageModel(WORDS), torch.randint(WORDS, (TEXTS, CONTEXT + 1))


def spelled_out_attention(scores: list, outputs: list):
    """Attention with a softmax that can be looked at: appends its inputs and outputs, by layer."""

    def attention(query, key, value, *, is_causal):
        assert is_causal
        products = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        future = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).triu(1)
        p = products.masked_fill(future, -math.inf).softmax(dim=-1)
        p.retain_grad()
        scores.append(products)
        outputs.append(p)
        return p @ value

    return attention


def test_recorded_gradient_is_that_of_the_softmax_output(case, monkeypatch):
    model, windows = case
    recorded = {}
    record_step(recorded, 0, model, windows)
    step = recorded[0]

    scores, outputs = [], []
    spelled_out = SimpleNamespace(
        scaled_dot_product_attention=spelled_out_attention(scores, outputs),
        linear=torch.nn.functional.linear,
    )
    monkeypatch.setattr(language_model, "functional", spelled_out)
    loss, _ = loss_and_heads(model, windows)
    loss.backward()

    vectors = (step.query, step.key, step.value, step.grad_output)
    query, key, value, grad_output = (array.astype(np.float64) for array in vectors)
    gradient = np.ldexp(grad_output @ value.transpose(0, 2, 1), -step.grad_exponent)
    for layer in range(LAYERS):
        expected = scores[layer][0, 0].detach().numpy()
        np.testing.assert_allclose(query[layer] @ key[layer].T / 4, expected, rtol=0, atol=2e-3)
        # float16 keeps 11 bits: the sum of 16 products moves by about one part in a thousand.
        expected = outputs[layer].grad[0, 0].numpy()
        tolerance = 2e-3 * np.abs(expected).max()
        np.testing.assert_allclose(gradient[layer], expected, rtol=0, atol=tolerance)


def test_watching_leaves_model_gradients_and_random_numbers_alone(case):
    model, windows = case
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    random = torch.get_rng_state()
    record_step({}, 0, model, windows)
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_only_the_chosen_steps_are_recorded_in_their_order(case):
    recorded = {}
    for step in (0, 1, RECORDED_STEPS[1]):
        record_step(recorded, step, *case)
    assert list(recorded) == [0, RECORDED_STEPS[1]]


def test_maps_are_the_first_head_of_every_layer_on_the_first_text(case):
    model, windows = case
    recorded = {}
    record_step(recorded, 0, model, windows)
    _, layers = loss_and_heads(model, windows)
    assert layers[0].query.shape[:2] == (TEXTS, HEADS)
    expected = [heads.query[0, 0].detach().numpy() for heads in layers]
    np.testing.assert_allclose(recorded[0].query.astype(np.float64), expected, rtol=0, atol=2e-3)
