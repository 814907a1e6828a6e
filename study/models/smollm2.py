"""SmolLM2, a language model of the Llama family, as a plain module that reads a GGUF file.

RMSNorm, rotary positions, grouped-query attention, gated feed-forward layers, and an embedding that
is the output's matrix too. See Allal et al., "SmolLM2: When Smol Goes Big", 2025, and Touvron et
al., "LLaMA: Open and Efficient Foundation Language Models", 2023.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .gguf_file import GgufFile


@dataclass(frozen=True)
class Sizes:
    """Of a model: layers, elements of a token, heads of queries and of keys, elements inside a
    feed-forward layer, words; the base of the rotary frequencies, and RMSNorm's epsilon."""

    layers: int
    width: int
    heads: int
    key_heads: int
    inner: int
    words: int
    base: float = 10000.0
    epsilon: float = 1e-5

    @classmethod
    def of(cls, fields: dict[str, Any]) -> "Sizes":
        """What a GGUF file says."""
        told = {name.removeprefix("llama."): value for name, value in fields.items()}
        return cls(
            layers=told["block_count"],
            width=told["embedding_length"],
            heads=told["attention.head_count"],
            key_heads=told["attention.head_count_kv"],
            inner=told["feed_forward_length"],
            words=len(told["tokenizer.ggml.tokens"]),
            base=told["rope.freq_base"],
            epsilon=told["attention.layer_norm_rms_epsilon"],
        )


class SmolLM2(nn.Module):
    """Probabilities of the next word at each place of texts."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embedding = nn.Embedding(sizes.words, sizes.width)
        self.layers = nn.ModuleList(_Layer(sizes) for _ in range(sizes.layers))
        self.norm = nn.RMSNorm(sizes.width, sizes.epsilon)

    @classmethod
    def of(cls, file: GgufFile) -> "SmolLM2":
        """The model that a file holds."""
        model = cls(Sizes.of(file.fields))
        named = {_renamed(name): torch.from_numpy(array) for name, array in file.weights.items()}
        model.load_state_dict(named, assign=True)
        return model.eval().requires_grad_(False)

    def hidden(self, words: Tensor) -> Tensor:
        """What the last layer gives, (texts, length, width), of word numbers (texts, length)."""
        x = self.embedding(words)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Of all words, (..., words)."""
        return hidden @ self.embedding.weight.T

    def forward(self, words: Tensor) -> Tensor:
        """Probabilities, (texts, length, words), of word numbers (texts, length)."""
        return functional.softmax(self.logits(self.hidden(words)), dim=-1)


class _Layer(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(sizes.width, sizes.epsilon)
        self.attention = _Attention(sizes)
        self.forward_norm = nn.RMSNorm(sizes.width, sizes.epsilon)
        self.gate = nn.Linear(sizes.width, sizes.inner, bias=False)
        self.up = nn.Linear(sizes.width, sizes.inner, bias=False)
        self.down = nn.Linear(sizes.inner, sizes.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x))
        inside = self.forward_norm(x)
        return x + self.down(functional.silu(self.gate(inside)) * self.up(inside))


class _Attention(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        head = sizes.width // sizes.heads
        self.heads, self.key_heads, self.base = sizes.heads, sizes.key_heads, sizes.base
        self.query = nn.Linear(sizes.width, sizes.heads * head, bias=False)
        self.key = nn.Linear(sizes.width, sizes.key_heads * head, bias=False)
        self.value = nn.Linear(sizes.width, sizes.key_heads * head, bias=False)
        self.output = nn.Linear(sizes.heads * head, sizes.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mixed = functional.scaled_dot_product_attention(
            _turned(_heads(self.query(x), self.heads), self.base),
            _turned(_heads(self.key(x), self.key_heads), self.base),
            _heads(self.value(x), self.key_heads),
            is_causal=True,
            enable_gqa=True,
        )
        return self.output(mixed.transpose(1, 2).flatten(2))


def _heads(x: Tensor, heads: int) -> Tensor:
    """(texts, heads, length, elements of a head)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _turned(x: Tensor, base: float) -> Tensor:
    """Rotary positions: elements 2i and 2i + 1 are turned by the position times base**(-2i / n).

    GGUF has the rows of queries and keys in an order that makes neighbours of the two.
    """
    length, elements = x.shape[-2:]
    frequencies = base ** (-torch.arange(0, elements, 2, device=x.device) / elements)
    angles = torch.arange(length, device=x.device)[:, None] * frequencies
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


_NAMES = {
    "token_embd": "embedding",
    "output_norm": "norm",
    "blk": "layers",
    "attn_norm": "attention_norm",
    "attn_q": "attention.query",
    "attn_k": "attention.key",
    "attn_v": "attention.value",
    "attn_output": "attention.output",
    "ffn_norm": "forward_norm",
    "ffn_gate": "gate",
    "ffn_up": "up",
    "ffn_down": "down",
}
"""Of what a GGUF file calls otherwise."""


def _renamed(name: str) -> str:
    return ".".join(_NAMES.get(part, part) for part in name.split("."))
