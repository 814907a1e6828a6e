"""The model of sentences: against a plain spelling of BERT, and the pretrained one on sentences."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch
from scipy.special import erf

from softmaxfx.golden.torch import swap
from softmaxfx.study.models.minilm import MiniLM

from .needed import fetched

CONFIG = {
    "num_hidden_layers": 2,
    "hidden_size": 24,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "vocab_size": 60,
    "max_position_embeddings": 16,
}
WORDS = [7, 3, 59, 12, 0, 31]


@pytest.fixture(scope="module")
def weights():
    """By BERT's names."""
    rng, width, inside = np.random.default_rng(5), 24, 40
    shapes = {
        "embeddings.word_embeddings.weight": (60, width),
        "embeddings.position_embeddings.weight": (16, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    for layer in range(2):
        name = f"encoder.layer.{layer}"
        for part, out, into in (
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", inside, width),
            ("output.dense", width, inside),
        ):
            shapes[f"{name}.{part}.weight"], shapes[f"{name}.{part}.bias"] = (out, into), (out,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{name}.{part}.weight"] = shapes[f"{name}.{part}.bias"] = (width,)
    return {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def plain(weights, words, heads=3):
    """BERT and the mean of its tokens, in float64 NumPy."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}

    def norm(x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-12)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][words]
    x = x + w["embeddings.position_embeddings.weight"][: len(words)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(2):
        name = f"encoder.layer.{layer}"
        parts = (linear(x, f"{name}.attention.self.{p}") for p in ("query", "key", "value"))
        query, key, value = (np.split(part, heads, axis=-1) for part in parts)
        mixed = []
        for q, k, v in zip(query, key, value, strict=True):
            weight = np.exp(q @ k.T / q.shape[-1] ** 0.5)
            mixed.append(weight / weight.sum(axis=-1, keepdims=True) @ v)
        attended = linear(np.concatenate(mixed, axis=-1), f"{name}.attention.output.dense")
        x = norm(x + attended, f"{name}.attention.output.LayerNorm")
        inside = linear(x, f"{name}.intermediate.dense")
        inside = inside * (1 + erf(inside / 2**0.5)) / 2
        x = norm(x + linear(inside, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean = x.mean(axis=0)
    return mean / np.sqrt((mean**2).sum())


def test_embeddings_are_those_of_a_plain_spelling(weights):
    model = MiniLM.of(CONFIG, {**weights, "embeddings.position_ids": np.arange(16)[None]})
    found = model(torch.tensor([WORDS]))[0].double().numpy()
    np.testing.assert_allclose(found, plain(weights, WORDS), rtol=0, atol=1e-5)


def test_every_softmax_can_be_swapped(weights):
    model = MiniLM.of(CONFIG, weights)
    with swap(model, "full") as swapped:
        model(torch.tensor([WORDS]))
    assert set(swapped.sites) == {f"layers.{layer}.attention: attention" for layer in range(2)}


@fetched
def test_the_pretrained_model_knows_what_is_alike():
    from softmaxfx.study.models.registry import MiniLM as Pretrained

    network = Pretrained()
    model, tokens = network.module(), network.tokenizer
    sentences = (
        "A man is eating food.",
        "A man is eating a piece of bread.",
        "How do I install a package with apt?",
        "Use apt-get to install Debian packages.",
    )
    found = torch.cat([model(torch.tensor([tokens.encode(one).ids])) for one in sentences])
    similar = found @ found.T
    assert similar[0, 1] == pytest.approx(0.755, abs=0.01)  # as its publishers say
    assert similar[2, 3] > 0.5
    assert similar[:2, 2:].max() < 0.2
