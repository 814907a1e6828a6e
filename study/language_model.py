"""A small causal transformer whose attention heads can be looked into.

Heads are 16 wide, so that the usual scaling by 1/sqrt(16) is a power of two. Nothing bounds the
scores: queries and keys are plain linear functions of the normalised activations.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CONTEXT = 256
HEAD_WIDTH = 16
HEADS = 4
LAYERS = 4
WIDTH = HEADS * HEAD_WIDTH


@dataclass(frozen=True)
class HeadVectors:
    """What the heads of one layer computed, each of shape (texts, heads, tokens, 16).

    mixed is the attention output, the average of the values weighted by the softmax.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mixed: Tensor


class Attention(nn.Module):
    """Causal self-attention of four heads."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.output = nn.Linear(WIDTH, WIDTH, bias=False)

    def heads(self, activations: Tensor) -> HeadVectors:
        """Run the heads on activations of shape (texts, tokens, 64)."""
        texts, tokens, _ = activations.shape
        split = self.inputs(activations).view(texts, tokens, 3, HEADS, HEAD_WIDTH)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return HeadVectors(query, key, value, mixed)

    def join(self, mixed: Tensor) -> Tensor:
        """Bring the outputs of the heads back to shape (texts, tokens, 64)."""
        return self.output(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention and a two-layer perceptron, each added to its normalised input."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.perceptron = nn.Sequential(
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, 4 * WIDTH),
            nn.GELU(),
            nn.Linear(4 * WIDTH, WIDTH),
        )

    def forward(self, activations: Tensor) -> tuple[Tensor, HeadVectors]:
        heads = self.attention.heads(self.attention_norm(activations))
        activations = activations + self.attention.join(heads.mixed)
        return activations + self.perceptron(activations), heads


class LanguageModel(nn.Module):
    """Predict the next word of a text of at most 256 words."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.word = nn.Embedding(words, WIDTH)
        self.position = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.bias = nn.Parameter(torch.zeros(words))
        # The embedding is also the output layer, so it starts as small as an output layer does.
        nn.init.normal_(self.word.weight, std=0.1)
        nn.init.normal_(self.position.weight, std=0.1)

    def forward(self, tokens: Tensor) -> tuple[Tensor, list[HeadVectors]]:
        """Turn tokens of shape (texts, tokens) into logits (texts, tokens, words) and heads."""
        activations = self.word(tokens) + self.position.weight[: tokens.shape[1]]
        layers = []
        for block in self.blocks:
            activations, heads = block(activations)
            layers.append(heads)
        return functional.linear(self.norm(activations), self.word.weight, self.bias), layers
