"""MiniLM, a small BERT whose mean over a text's tokens is the text's embedding.

See Wang et al., "MiniLM: Deep Self-Attention Distillation", 2020, and Reimers and Gurevych,
"Sentence-BERT", 2019.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-12
"""Of layer norms."""


@dataclass(frozen=True)
class Sizes:
    """Of a model: layers, elements of a token, heads, elements inside a feed-forward layer, words,
    and tokens of the longest text."""

    layers: int
    width: int
    heads: int
    inner: int
    words: int
    length: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Sizes":
        """What a BERT's ``config.json`` says."""
        return cls(
            layers=config["num_hidden_layers"],
            width=config["hidden_size"],
            heads=config["num_attention_heads"],
            inner=config["intermediate_size"],
            words=config["vocab_size"],
            length=config["max_position_embeddings"],
        )


class MiniLM(nn.Module):
    """Embeddings of texts, of length 1."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.words = nn.Embedding(sizes.words, sizes.width)
        self.positions = nn.Embedding(sizes.length, sizes.width)
        self.kinds = nn.Embedding(2, sizes.width)
        self.norm = nn.LayerNorm(sizes.width, EPSILON)
        self.layers = nn.ModuleList(_Layer(sizes) for _ in range(sizes.layers))

    @classmethod
    def of(cls, config: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> "MiniLM":
        """The model of a BERT's configuration and weights, by the names that BERT has for them."""
        model = cls(Sizes.of(config))
        named = {
            name: torch.from_numpy(weights[_bert_name(name)].copy()) for name in model.state_dict()
        }
        model.load_state_dict(named, assign=True)
        return model.eval().requires_grad_(False)

    def forward(self, words: Tensor) -> Tensor:
        """(texts, width), of word numbers (texts, length): texts of one length, without padding."""
        positions = torch.arange(words.shape[1], device=words.device)
        x = self.norm(self.words(words) + self.positions(positions) + self.kinds.weight[0])
        for layer in self.layers:
            x = layer(x)
        return functional.normalize(x.mean(dim=1), dim=-1)


class _Layer(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.attention = _Attention(sizes)
        self.attention_norm = nn.LayerNorm(sizes.width, EPSILON)
        self.up = nn.Linear(sizes.width, sizes.inner)
        self.down = nn.Linear(sizes.inner, sizes.width)
        self.norm = nn.LayerNorm(sizes.width, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        x = self.attention_norm(x + self.attention(x))
        return self.norm(x + self.down(functional.gelu(self.up(x))))


class _Attention(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.query, self.key, self.value, self.output = (
            nn.Linear(sizes.width, sizes.width) for _ in range(4)
        )

    def forward(self, x: Tensor) -> Tensor:
        heads = [
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        ]
        mixed = functional.scaled_dot_product_attention(*heads)
        return self.output(mixed.transpose(1, 2).flatten(2))


_NAMES = {
    "words": "embeddings.word_embeddings",
    "positions": "embeddings.position_embeddings",
    "kinds": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}
_LAYER_NAMES = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm": "output.LayerNorm",
}


def _bert_name(name: str) -> str:
    """What BERT calls a weight of this model."""
    if not name.startswith("layers."):
        part, _, kind = name.rpartition(".")
        return f"{_NAMES[part]}.{kind}"
    _, number, inside = name.split(".", maxsplit=2)
    part, _, kind = inside.rpartition(".")
    return f"encoder.layer.{number}.{_LAYER_NAMES[part]}.{kind}"
