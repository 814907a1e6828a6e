"""Record what the attention heads of the trained language model compute on held-out texts.

Queries, keys, values and output gradients are rounded once, here, to a grid that float16 holds
and that makes the scores exact in float64; `recordings` says why.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .language_model import HeadVectors, LanguageModel
from .train_language import windows

TEXTS = 6
TEXTS_WITH_GRADIENT = 1
GRID_BITS = 12

# Gradients are scaled by a power of two to just below this: well inside float16's range, and far
# enough above the grid that a gradient 10,000 times smaller than the largest is not lost.
LARGEST_GRADIENT = 2.0**12


@dataclass(frozen=True)
class AttentionRecording:
    """Vectors of shape (maps, 256 tokens, 16), float16, a map being one head on one text.

    The maps are ordered by text, then layer, then head. value and grad_output exist for the first
    maps only; grad_output is the gradient at the attention output times 2^grad_exponent.
    """

    query: np.ndarray
    key: np.ndarray
    value: np.ndarray
    grad_output: np.ndarray
    grad_exponent: int


def record_attention(model: LanguageModel, held_out: Tensor) -> AttentionRecording:
    """Run the model on the first window of evenly spread held-out sections."""
    texts = torch.stack([windows(section)[0] for section in held_out])
    texts = texts[:: len(texts) // TEXTS][:TEXTS]
    logits, layers = model(texts[:, :-1])
    loss = functional.cross_entropy(logits.flatten(0, 1), texts[:, 1:].flatten(), reduction="sum")
    gradients = torch.autograd.grad(loss, [heads.mixed for heads in layers])

    with_gradient = TEXTS_WITH_GRADIENT * len(layers) * layers[0].query.shape[1]
    grad_output = _stack(gradients)[:with_gradient]
    exponent = math.floor(math.log2(LARGEST_GRADIENT / np.abs(grad_output).max()))
    return AttentionRecording(
        query=_on_grid(_vectors(layers, "query")),
        key=_on_grid(_vectors(layers, "key")),
        value=_on_grid(_vectors(layers, "value")[:with_gradient]),
        grad_output=_on_grid(np.ldexp(grad_output, exponent)),
        grad_exponent=exponent,
    )


def _vectors(layers: list[HeadVectors], name: str) -> np.ndarray:
    """One kind of vector of all layers, shape (maps, tokens, 16)."""
    return _stack([getattr(heads, name) for heads in layers])


def _stack(layers: list[Tensor] | tuple[Tensor, ...]) -> np.ndarray:
    """Join tensors of shape (texts, heads, tokens, 16) to (texts x layers x heads, tokens, 16)."""
    return torch.stack(list(layers), dim=1).flatten(0, 2).detach().double().numpy()


def _on_grid(vectors: np.ndarray) -> np.ndarray:
    """Round to multiples of 2^-12 and then to float16, which keeps them multiples of 2^-12."""
    return np.ldexp(np.rint(np.ldexp(vectors, GRID_BITS)), -GRID_BITS).astype(np.float16)
