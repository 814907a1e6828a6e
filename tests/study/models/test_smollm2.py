"""The language model: against a plain spelling of it, and the pretrained one on English."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

from softmaxfx.golden.torch import swap
from softmaxfx.study.models.gguf_file import read_gguf
from softmaxfx.study.models.smollm2 import Sizes, SmolLM2

from .needed import fetched

WORDS = torch.tensor([[5, 17, 3, 88, 3, 41, 0, 9], [60, 2, 2, 95, 33, 7, 12, 50]])


@pytest.fixture(scope="module")
def model(smollm2_writer):
    return SmolLM2.of(read_gguf(smollm2_writer.content()))


def plain(weights, words, heads=4, key_heads=2, base=100000.0):
    """Llama in float64 NumPy, token by token and head by head, of weights by GGUF's names."""
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    x = weights["token_embd.weight"][words]
    size = x.shape[1] // heads
    layer = 0
    while f"blk.{layer}.attn_norm.weight" in weights:
        w = {
            name.split(".")[2]: array
            for name, array in weights.items()
            if name.startswith(f"blk.{layer}.")
        }
        inside = norm(x, w["attn_norm"])
        mixed = np.zeros_like(x)
        for head in range(heads):
            shared = head // (heads // key_heads)
            rows, of = (
                slice(head * size, (head + 1) * size),
                slice(shared * size, (shared + 1) * size),
            )
            query, key = inside @ w["attn_q"][rows].T, inside @ w["attn_k"][of].T
            value = inside @ w["attn_v"][of].T
            for t in range(len(words)):
                scores = [
                    turned(query[t], t, base) @ turned(key[s], s, base) / size**0.5
                    for s in range(t + 1)
                ]
                p = np.exp(scores) / np.exp(scores).sum()
                mixed[t, rows] = p @ value[: t + 1]
        x = x + mixed @ w["attn_output"].T
        inside = norm(x, w["ffn_norm"])
        gate = inside @ w["ffn_gate"].T
        x = x + (gate / (1 + np.exp(-gate)) * (inside @ w["ffn_up"].T)) @ w["ffn_down"].T
        layer += 1
    return norm(x, weights["output_norm.weight"]) @ weights["token_embd.weight"].T


def norm(x, weight):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5) * weight


def turned(vector, place, base):
    """Each pair of neighbours as a complex number, times e to the i place / base^(2j / n)."""
    pairs = vector[0::2] + 1j * vector[1::2]
    pairs = pairs * np.exp(1j * place / base ** (2 * np.arange(len(pairs)) / len(vector)))
    return np.stack([pairs.real, pairs.imag], axis=-1).ravel()


def test_sizes_are_those_of_the_file(smollm2_writer):
    assert Sizes.of(read_gguf(smollm2_writer.content()).fields) == Sizes(
        2, 32, 4, 2, 64, 96, 100000.0, pytest.approx(1e-5)
    )


def test_logits_are_those_of_a_plain_spelling(model, smollm2_writer):
    for words in WORDS:
        found = model.logits(model.hidden(words[None]))[0].double().numpy()
        expected = plain(smollm2_writer.expected, words.numpy())
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def test_probabilities_are_the_softmax_of_the_logits(model):
    p = model(WORDS)
    assert p.shape == (2, 8, 96)
    torch.testing.assert_close(p, model.logits(model.hidden(WORDS)).softmax(dim=-1))


def test_every_softmax_can_be_swapped(model):
    with swap(model, "full") as swapped:
        model(WORDS)
    sites = {f"layers.{layer}.attention: attention" for layer in range(2)}
    assert set(swapped.sites) == {*sites, "model: softmax"}


@fetched
@pytest.mark.long
def test_the_pretrained_model_reads_and_writes_english():
    from softmaxfx.study.models.registry import SmolLM2 as Pretrained

    network = Pretrained()
    model, tokens = network.module(), network.tokenizer
    text = network.inputs(1)[0][:, :129]
    with torch.no_grad():
        logits = model.logits(model.hidden(text[:, :-1]))[0]
        loss = torch.nn.functional.cross_entropy(logits, text[0, 1:])
        assert 8 < loss.exp() < 40
        words = tokens.encode("The capital of France is").ids
        for _ in range(2):
            words.append(int(model.logits(model.hidden(torch.tensor([words]))[0, -1]).argmax()))
    assert tokens.decode(words) == "The capital of France is Paris."
